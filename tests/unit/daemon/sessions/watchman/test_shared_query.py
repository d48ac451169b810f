"""Subscribers that asked the same share rows; who is behind gets the difference."""

from pathlib import Path

import pytest

from testkit.sessions import Home, WatchmanPeer

NAMES = {"fields": ["name"], "settle": 0.0, "watch": True}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    return box


def subscribed(server: Home, box: Path, **options: object) -> WatchmanPeer:
    """A subscriber that has its first message."""
    peer = server.watcher()
    reply = peer.ask("subscribe", str(box), "s", {**NAMES, **options})
    assert "error" not in reply
    peer.message()
    return peer


def test_two_that_asked_the_same_get_the_same(server: Home, box: Path) -> None:
    peers = [subscribed(server, box), subscribed(server, box)]
    (root,) = server.watchman.roots.all
    assert len(root.queries) == 1
    (box / "new").touch()
    one, other = (peer.message() for peer in peers)
    assert one["files"] == other["files"] == ["new"]
    assert one["clock"] == other["clock"]


def test_another_question_is_answered_in_its_own_way(server: Home, box: Path) -> None:
    plain = subscribed(server, box)
    other = subscribed(server, box, expression=["suffix", "c"])
    (root,) = server.watchman.roots.all
    assert len(root.queries) == 2
    (box / "a.o").touch()
    (box / "a.c").touch()
    seen: set[str] = set()
    while len(seen) < 2:
        seen.update(plain.message()["files"])
    assert seen == {"a.o", "a.c"}
    assert other.message()["files"] == ["a.c"]


def test_who_defers_to_a_state_gets_the_difference_after_it(
    server: Home, box: Path
) -> None:
    server.watcher().ask("watch", str(box))
    peer = server.watcher()
    options = {"fields": ["name"], "settle": 0.0, "defer": ["busy"]}
    peer.ask("subscribe", str(box), "s", options)
    peer.message()
    other = server.watcher()
    other.ask("state-enter", str(box), "busy")
    assert "state-enter" in peer.message()
    (box / "short").touch()
    (box / "short").unlink()
    (box / "stays").touch()
    other.ask("clock", str(box))  # the server has seen it
    assert not peer.messages
    other.ask("state-leave", str(box), "busy")
    messages = [peer.message(), peer.message()]
    (left,) = [each for each in messages if "state-leave" in each]
    (rows,) = [each for each in messages if each is not left]
    assert "stays" in rows["files"]


def test_who_drops_a_state_never_gets_what_happened_in_it(
    server: Home, box: Path
) -> None:
    server.watcher().ask("watch", str(box))
    peer, other = server.watcher(), server.watcher()
    options = {"fields": ["name"], "settle": 0.0, "drop": ["busy"]}
    peer.ask("subscribe", str(box), "s", options)
    peer.message()
    other.ask("state-enter", str(box), "busy")
    (box / "dropped").touch()
    other.ask("clock", str(box))
    other.ask("state-leave", str(box), "busy")
    (box / "later").touch()
    names: list[str] = []
    while "later" not in names:
        names += peer.message().get("files", [])
    assert "dropped" not in names


def test_what_settles_is_one_message(server: Home, box: Path) -> None:
    peer = subscribed(server, box, settle=0.05)
    for name in "abc":
        (box / name).touch()
        server.loop.run_once(0)
    assert sorted(peer.message()["files"]) == ["a", "b", "c"]


def test_what_is_in_a_directory_that_takes_the_path_is_delivered(
    server: Home, box: Path
) -> None:
    peer = subscribed(server, box)
    (box / "old").touch()
    peer.message()
    box.rename(box.with_name("away"))
    box.mkdir()
    (box / "other").touch()
    seen: set[str] = set()
    while "other" not in seen:
        seen.update(peer.message()["files"])


def test_a_query_without_subscribers_is_dropped(server: Home, box: Path) -> None:
    peer = subscribed(server, box, settle=30.0)
    (box / "new").touch()
    peer.ask("unsubscribe", str(box), "s")
    (root,) = server.watchman.roots.all
    assert root.queries == {}
