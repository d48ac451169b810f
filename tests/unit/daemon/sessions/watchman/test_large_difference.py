"""Large differences are found in slices, between which others are served."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gamin.daemon.io import turns
from gamin.daemon.io.turns import LongList
from gamin.daemon.sessions.watchman import delivery, large_difference, results, session
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
    monkeypatch.setattr(large_difference, "BYTES_PER_STEP", 2)
    monkeypatch.setattr(delivery, "ROWS_PER_TEXT", 2)
    monkeypatch.setattr(delivery, "FOLDERS_PER_TEXT", 2)
    monkeypatch.setattr(delivery, "TEXT_PER_PIECE", 2)
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


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items were left in each slice in which some were freed."""
    monkeypatch.setattr(turns, "FREED_AT_ONCE", 4)
    found: list[int] = []
    take_turn = LongList.take_turn

    def noted(items: LongList[Any]) -> bool:
        try:
            return take_turn(items)
        finally:
            found.append(len(items))

    monkeypatch.setattr(LongList, "take_turn", noted)
    return found


@pytest.mark.parametrize(
    "request_of",
    [
        lambda box: ("query", box, {"fields": ["name", "cclock"]}),
        lambda box: ("query", box, {"fields": ["name"], "since": 0, "suffix": "x"}),
        lambda box: ("subscribe", box, "s", {"fields": ["name"]}),
        lambda box: ("subscribe", box, "s", PLAIN | {"names": False}),
    ],
)
def test_the_rows_of_a_long_answer_are_freed_in_slices(
    server: Home,
    box: Path,
    freed: list[int],
    request_of: Callable[[str], tuple[object, ...]],
) -> None:
    make(box)
    peer = server.watcher()
    peer.ask("watch", str(box))
    assert "error" not in peer.ask(*request_of(str(box)))
    peer.home.run_until(lambda: freed.count(0) > 0, what="the end of the rows")
    assert set(range(0, FILES - 4, 4)) <= set(freed)


def test_a_client_that_leaves_has_its_rows_freed_in_slices(
    server: Home, box: Path, freed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SLICE_SECONDS", 0.0)
    make(box)
    peer = server.watcher()
    peer.ask("watch", str(box))
    peer.post("query", str(box), {"fields": ["name", "cclock"]})
    server.run_until(lambda: peer.session._work is not None, what="the query")
    for _ in range(FILES // 4):
        server.loop.run_once(0)
    assert peer.session._work is not None
    assert not freed
    peer.session.connection.close()
    server.run_until(lambda: 0 in freed, what="the end of the rows")
    assert len(freed) > 1


def test_one_that_asks_once_gets_no_list_after_the_difference(
    server: Home, box: Path
) -> None:
    """A message without rows says that this was all, however few rows there were."""
    first = server.watcher()
    first.ask("subscribe", str(box), "s", PLAIN)
    clock = first.message()["clock"]
    for count in (0, 1, 10):
        peer = server.watcher()
        files = {f"{count}-{number}" for number in range(count)}
        for file in files:
            (box / file).touch()
        query = {**PLAIN, "since": clock, "once": True}
        assert "error" not in peer.ask("subscribe", str(box), "s", query)
        found: set[str] = set()
        while rows := (message := peer.message())["rows"]:
            assert "names" not in message
            found |= {row[1:] for row in rows.split("//")}
        assert "names" not in message
        assert found == files
        clock = message["clock"]


def test_one_that_asks_once_with_an_unknown_clock_gets_all_names(
    server: Home, box: Path
) -> None:
    known = planted(box)
    peer = server.watcher()
    query = {**PLAIN, "since": "c:1:2:3:4", "once": True}
    assert "error" not in peer.ask("subscribe", str(box), "s", query)
    message = peer.message()
    assert message["is_fresh_instance"]
    assert listed(message) == known
