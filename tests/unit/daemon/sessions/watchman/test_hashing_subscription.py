"""A subscription with hashes: files are read before each message."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from gamin.daemon.io.worker import Job
from gamin.daemon.sessions.watchman.content_hashes import Reading
from gamin.daemon.sessions.watchman.delivery import Delivery, FileRows
from gamin.daemon.sessions.watchman.hashing_subscription import HashingSubscription
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query
from testkit.rows import NOW, row
from testkit.sessions import Home, WatchmanPeer

QUERY = {
    "fields": ["name", "content.sha1hex"],
    "settle": 0.0,
    "watch": True,
    "expression": ["type", "f"],
}


def hashes(peer: WatchmanPeer) -> dict[str, object]:
    """The hash of each file in the next message."""
    return {row["name"]: row["content.sha1hex"] for row in peer.message()["files"]}


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def test_every_message_has_the_hashes_of_its_files(
    server: Home, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("one")
    peer = server.watcher()
    assert "error" not in peer.ask("subscribe", str(tmp_path), "s", QUERY)
    assert hashes(peer) == {"a": sha1("one")}
    (tmp_path / "a").write_text("two")
    found: dict[str, object] = {}
    while found != {"a": sha1("two")}:
        found = hashes(peer)
    (tmp_path / "a").unlink()
    assert hashes(peer) == {"a": None}


def test_who_unsubscribes_while_files_are_read_gets_no_message(
    server: Home, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("one")
    peer = server.watcher()
    peer.post("subscribe", str(tmp_path), "s", QUERY)
    peer.post("unsubscribe", str(tmp_path), "s")
    assert peer.reply()["subscribe"] == "s"
    assert peer.reply()["deleted"] is True
    before = len(peer.messages)
    assert "pid" in peer.ask("get-pid")
    assert len(peer.messages) == before


class Reader:
    """A client, and the thread that reads files for it."""

    codec: Codec = JSON
    is_blocked = False

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reading = Reading(lambda: None)

    def read(self, rows: Sequence[FileRow], done: Callable[[], None]) -> Reading:
        self.reading = Reading(done)
        self.reading.jobs.append(Job(iter(()), done))
        return self.reading

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        self.send(b"".join(pieces))

    def flush(self) -> None:
        """Nothing waits."""


def test_who_unsubscribes_has_no_files_read_any_more(
    server: Home, tmp_path: Path
) -> None:
    server.watcher().ask("watch", str(tmp_path))
    [root] = server.watchman.roots.all
    reader = Reader()
    sink = HashingSubscription(reader, "s", root, reader.read)
    query = Query(fields=("name", "content.sha1hex"))
    subscriber = Subscriber(sink, query, root.cursor(None))
    sink.belongs_to(subscriber)
    root.add(subscriber)
    rows = FileRows([row(b"a")], query.fields, NOW)
    sink.deliver(Delivery(root.path, rows, root.clock()))
    [job] = reader.reading.jobs
    assert sink.is_blocked
    root.remove(subscriber)
    assert job.is_canceled
    assert not sink.is_blocked
    job.report()
    assert not reader.sent


def test_what_changes_while_files_are_read_is_the_next_message(
    server: Home, tmp_path: Path
) -> None:
    for number in range(50):
        (tmp_path / str(number)).write_text("x")
    peer = server.watcher()
    peer.ask("subscribe", str(tmp_path), "s", QUERY)
    (tmp_path / "new").write_text("y")
    found: dict[str, object] = {}
    while found.get("new") != sha1("y"):
        found |= hashes(peer)
    assert len(found) == 51
