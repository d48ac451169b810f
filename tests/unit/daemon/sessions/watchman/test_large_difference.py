"""Large differences are found in slices, between which others are served."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman import large_difference, results
from gamin.daemon.sessions.watchman.large_difference import Turns
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.codec.directory_listing import decode_folders
from testkit.sessions import Home, WatchmanPeer

FILES = 40
QUERY = {
    "fields": ["name", "size", "exists"],
    "settle": 0.01,
    "watch": True,
    "expression": ["type", "f"],
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each slice is one step, and a few rows are many."""
    monkeypatch.setattr(large_difference, "LARGE_ROWS", 4)
    monkeypatch.setattr(large_difference, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(large_difference, "ROWS_PER_TEXT", 2)
    monkeypatch.setattr(large_difference, "FOLDERS_PER_TEXT", 2)
    monkeypatch.setattr(results, "STEP_PRICE", 4)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    return box


def subscribed(server: Home, box: Path) -> WatchmanPeer:
    peer = server.watcher()
    assert "error" not in peer.ask("subscribe", str(box), "s", QUERY)
    peer.message()
    return peer


def begun(peer: WatchmanPeer) -> Subscriber:
    """Its subscriber, once a large difference is being found for it."""
    [(_, subscriber)] = peer.session.subscriptions.values()
    peer.home.run_until(lambda: subscriber.large_difference, what="the difference")
    return subscriber


def names(peer: WatchmanPeer, count: int) -> dict[str, bool]:
    """Whether each file of the next messages exists, until so many are known."""
    found: dict[str, bool] = {}
    while len(found) < count:
        files = peer.message()["files"]
        found |= {row["name"]: row["exists"] for row in files}
    return found


def make(box: Path) -> set[str]:
    made = {f"file {number}" for number in range(FILES)}
    for name in made:
        (box / name).touch()
    return made


def test_others_are_served_while_a_large_difference_is_found(
    server: Home, box: Path
) -> None:
    peer, other = subscribed(server, box), server.watcher()
    made = make(box)
    subscriber = begun(peer)
    assert "pid" in other.ask("get-pid")
    assert subscriber.large_difference is not None
    assert not peer.messages
    assert names(peer, FILES) == dict.fromkeys(made, True)
    assert subscriber.large_difference is None


def test_what_happens_meanwhile_is_in_it_or_follows(server: Home, box: Path) -> None:
    peer = subscribed(server, box)
    made = make(box)
    begun(peer)
    (box / "late").touch()
    (box / "file 7").unlink()
    found = names(peer, FILES + 1)
    while found["file 7"]:
        found |= names(peer, 1)
    assert found == {**dict.fromkeys(made, True), "file 7": False, "late": True}


def test_a_client_that_leaves_meanwhile_is_forgotten(server: Home, box: Path) -> None:
    peer = subscribed(server, box)
    make(box)
    subscriber = begun(peer)
    peer.ask("unsubscribe", str(box), "s")
    assert subscriber.large_difference is None
    for _ in range(FILES):
        server.loop.run_once(0)
    assert not [each for each in peer.messages if "files" in each]


def test_a_flush_gets_all_of_it_at_once(server: Home, box: Path) -> None:
    peer = subscribed(server, box)
    made = make(box)
    begun(peer)
    peer.ask("flush-subscriptions", str(box), {"sync_timeout": 1000})
    files = peer.message()["files"]
    assert {row["name"] for row in files} == made
    for _ in range(FILES):
        server.loop.run_once(0)
    assert not [each for each in peer.messages if "files" in each]


class Work:
    def __init__(self, log: list[str], name: str, slices: int) -> None:
        self._log = log
        self._name = name
        self._left = itertools.repeat(True, slices - 1)

    def take_turn(self) -> bool:
        self._log.append(self._name)
        return next(self._left, False)


def test_large_differences_take_turns() -> None:
    loop, log = Loop(), list[str]()
    turns = Turns(loop)
    turns.add(Work(log, "a", 3))
    turns.add(Work(log, "b", 2))
    for count in range(1, 6):
        loop.run_once(0)
        assert len(log) == count
    loop.close()
    assert log == ["a", "b", "a", "b", "a"]


def test_one_that_fails_does_not_keep_the_others_from_their_turn() -> None:
    class Broken(Work):
        def take_turn(self) -> bool:
            raise ZeroDivisionError

    loop, log = Loop(), list[str]()
    turns = Turns(loop)
    turns.add(Broken(log, "a", 3))
    turns.add(Work(log, "b", 1))
    loop.run_once(0)
    loop.run_once(0)
    loop.close()
    assert log == ["b"]


PLAIN = {"fields": list(EVENT_FIELDS), "names": True, "settle": 0, "watch": True}
"""What our own clients ask for."""


def planted(box: Path) -> dict[str, set[str]]:
    """More directories than are listed in one go, and the names in each."""
    for number in range(6):
        (box / f"{number}").mkdir()
        (box / f"{number}" / "file").touch()
    known = {f"{number}": {"file"} for number in range(6)}
    return known | {"": set(known)}


def listed(message: dict[str, Any]) -> dict[str, set[str]]:
    folders = decode_folders(message["names"])
    return {path: set((names or "").split("/")) for path, names in folders.items()}


def test_a_list_of_all_names_is_made_in_slices(server: Home, box: Path) -> None:
    known = planted(box)
    peer = server.watcher()
    assert "error" not in peer.ask("subscribe", str(box), "s", PLAIN)
    begun(peer)
    (box / "0" / "meanwhile").touch()
    message = peer.message()
    assert message["is_fresh_instance"]
    there = listed(message)
    there["0"].discard("meanwhile")
    assert there == known
    assert peer.message()["rows"] == "c0/meanwhile"


def test_what_a_returning_client_missed_is_found_in_slices(
    server: Home, box: Path
) -> None:
    known = planted(box)
    peer = server.watcher()
    peer.ask("subscribe", str(box), "s", PLAIN)
    clock = peer.message()["clock"]
    for number in range(6):
        (box / f"{number}" / "new").touch()
        known[f"{number}"].add("new")
    again = server.watcher()
    again.ask("subscribe", str(box), "s", PLAIN | {"since": clock})
    begun(again)
    missed = again.message()
    assert missed["since"] == clock
    assert set(missed["rows"].split("//")) == {f"c{number}/new" for number in range(6)}
    assert listed(again.message()) == known
