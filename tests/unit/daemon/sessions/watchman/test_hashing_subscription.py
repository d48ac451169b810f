"""A subscription with hashes: files are read before each message."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.sessions import Home, WatchmanPeer, home

QUERY = {
    "fields": ["name", "content.sha1hex"],
    "settle": 0.0,
    "watch": True,
    "expression": ["type", "f"],
}


@pytest.fixture
def server() -> Iterator[Home]:
    with home() as made:
        yield made


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
