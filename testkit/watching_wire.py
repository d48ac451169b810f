"""What a server says to a client that watches, for tests of that client."""

from collections.abc import Sequence
from typing import Any

from gamin.events import Event, Row
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Batch, Watching
from gamin.protocol.watchman.codec.directory_listing import Folder
from gamin.protocol.watchman.codec.framing import encode
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.requests import GetVersion, Request, Subscribe
from testkit.rows import NOW
from testkit.watchman_wire import encode_compact, encode_folders, read_request


def asked(data: bytes) -> list[Request]:
    return [read_request(line) for line in data.splitlines()]


def subscriptions(data: bytes) -> list[Subscribe]:
    return [request for request in asked(data) if isinstance(request, Subscribe)]


def welcome() -> bytes:
    return encode(replies.version(GetVersion(), "0.2.0"))


def accepted(number: int = 0, tick: int = 1) -> bytes:
    return encode(replies.subscribe(str(number), NOW.clock(tick)))


def told(*rows: FileRow, number: int = 0, tick: int = 2, **facts: Any) -> bytes:
    message = replies.message(str(number), b"/a", NOW.clock(tick), **facts)
    compact = [Row(r.kind, r.name, r.is_dir, r.source) for r in rows]
    return encode(message, rows=encode_compact(compact, 0))


def listed(
    *folders: Folder, number: int = 0, tick: int = 1, fresh: bool = True, **facts: Any
) -> bytes:
    """The names in each directory, where the root is one."""
    message = replies.message(str(number), b"/a", NOW.clock(tick), fresh=fresh, **facts)
    return encode(message, rows=b'""', names=encode_folders(folders))


EMPTY: Folder = (b"", b"")


def events(watching: Watching, data: bytes) -> list[list[Event]]:
    """The events of the batches, none of which may need a look at files."""
    batches = []
    for batch in watching.received(data):
        assert isinstance(batch, Batch)
        batches.append(batch.events)
    return batches


def started(
    paths: Sequence[str] = ("/a",), since: str | None = None, *, initial: bool = False
) -> Watching:
    watching = Watching(paths, WatchOptions(initial=initial), since)
    watching.start()
    watching.received(welcome())
    return watching


def ready(*folders: Folder, **facts: Any) -> Watching:
    """One that watches /a, in which there is what `folders` say."""
    watching = started()
    assert watching.received(accepted() + listed(*(folders or (EMPTY,)), **facts)) == []
    return watching
