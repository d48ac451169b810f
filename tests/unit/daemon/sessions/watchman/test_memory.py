"""What a server remembers of its trees, and the next one recalls."""

import itertools
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testkit.no_threads import no_thread_can_start
from testkit.sessions import START, Home, home
from testkit.waiting import eventually

NAMES = {"fields": ["name"]}
_STARTS = itertools.count(START)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where servers of the test keep their state."""
    monkeypatch.delenv("GAMIN_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "gamin"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("kept", "gone"):
        file = tree / name
        file.touch()
        os.utime(file, (0, 0))
    return tree


@contextmanager
def served() -> Iterator[Home]:
    """A server that remembers when it ends; each one starts later than the others."""
    with home(next(_STARTS)) as made:
        yield made
        made.watchman.save()


def finished(steps: Generator[None, None, bool]) -> bool:
    """What the steps return at their end."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return bool(stop.value)


def clock_of(server: Home, tree: Path) -> str:
    peer = server.watcher()
    peer.ask("watch", str(tree))
    clock = peer.ask("clock", str(tree))["clock"]
    assert isinstance(clock, str)
    return clock


def asked(server: Home, tree: Path, clock: str) -> dict[str, Any]:
    peer = server.watcher()
    peer.ask("watch", str(tree))
    return peer.ask("query", str(tree), {**NAMES, "since": clock})


@pytest.mark.usefixtures("state")
def test_the_next_server_names_what_changed_since_a_clock_of_the_last(
    tree: Path,
) -> None:
    with served() as server:
        clock = clock_of(server, tree)
    (tree / "gone").unlink()
    (tree / "new").touch()
    with served() as server:
        answer = asked(server, tree, clock)
    assert answer["is_fresh_instance"] is False
    assert {"gone", "new"} <= set(answer["files"])  # what is as new counts as changed


@pytest.mark.usefixtures("state")
def test_a_clock_that_nothing_was_saved_of_gets_everything(tree: Path) -> None:
    with home(next(_STARTS)) as server:  # killed: it saves nothing
        clock = clock_of(server, tree)
    with served() as server:
        answer = asked(server, tree, clock)
    assert answer["is_fresh_instance"] is True
    assert sorted(answer["files"]) == ["gone", "kept"]


@pytest.mark.usefixtures("state")
def test_a_clock_that_is_later_than_what_was_saved_gets_everything(
    tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with served() as server:
        clock_of(server, tree)
        server.watchman.save()
        start, pid, root, tick = clock_of(server, tree).removeprefix("c:").split(":")
    later = f"c:{start}:{pid}:{root}:{int(tick) + 1000}"
    with served() as server:
        assert asked(server, tree, later)["is_fresh_instance"] is True
    assert "is later than what was saved" in caplog.text


@pytest.mark.usefixtures("state")
def test_a_clock_from_before_the_rules_changed_gets_everything(tree: Path) -> None:
    (tree / ".git").mkdir()
    (tree / ".git/HEAD").touch()
    (tree / ".gitignore").write_text("kept\n")
    query = {**NAMES, "watch": True, "vcs_ignore": True, "settle": 0.0}
    with served() as server:
        peer = server.watcher()
        peer.ask("subscribe", str(tree), "s", query)
        clock = peer.message()["clock"]
        (tree / ".gitignore").write_text("gone\n")
        while "kept" not in peer.message()["files"]:
            pass
    with served() as server:
        peer = server.watcher()
        peer.ask("subscribe", str(tree), "s", {**query, "since": clock})
        message = peer.message()
    assert message["is_fresh_instance"] is True
    assert "kept" in message["files"]


@pytest.mark.usefixtures("state")
def test_a_named_cursor_outlives_the_server(tree: Path) -> None:
    named = {**NAMES, "since": "n:mine"}
    with served() as server:
        peer = server.watcher()
        peer.ask("watch", str(tree))
        peer.ask("query", str(tree), named)
    (tree / "new").touch()
    with served() as server:
        peer = server.watcher()
        peer.ask("watch", str(tree))
        answer = peer.ask("query", str(tree), named)
    assert answer["is_fresh_instance"] is False
    assert "new" in answer["files"]


def test_nothing_is_kept_where_that_is_turned_off(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_STATE", "off")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with served() as server:
        clock_of(server, tree)
        assert not server.watchman.memory.is_on
        assert server.watchman.memory.size() == 0
    assert not (tmp_path / "state").exists()


def test_a_state_that_cannot_be_kept_is_complained_of_once(
    tree: Path, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state.parent.mkdir()
    state.touch()  # no directory can be made there
    with home() as server:
        clock_of(server, tree)
        server.watchman.save()
        server.watchman.save()
    found = [text for text in caplog.messages if "nothing is remembered" in text]
    assert len(found) == 1


@pytest.mark.usefixtures("state")
def test_while_a_save_is_written_no_other_one_begins(tree: Path) -> None:
    with home() as server:
        clock_of(server, tree)
        memory, roots = server.watchman.memory, server.watchman.roots.by_key()
        assert finished(memory.saving(roots, ()))
        finished(memory.saving(roots, ()))
        memory.wait()
        assert not memory.is_writing
        assert eventually(memory.size) > 0


@pytest.mark.usefixtures("state")
def test_a_save_that_no_thread_can_write_is_left_to_the_next_one(tree: Path) -> None:
    with home(next(_STARTS)) as server:
        clock_of(server, tree)
        memory, roots = server.watchman.memory, server.watchman.roots.by_key()
        with no_thread_can_start():
            assert not finished(memory.saving(roots, ()))
        memory.wait()
        assert finished(memory.saving(roots, ()))
        memory.wait()
        assert memory.size() > 0
