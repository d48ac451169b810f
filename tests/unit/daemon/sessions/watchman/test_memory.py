"""What a server remembers of its trees, and the next one recalls."""

import itertools
import os
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.coverage.recovery import MARGIN_NS
from gamin.daemon.sessions.watchman import memory as memory_module
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


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("type_", "place", "is_fresh"),
    [
        ("vfat", "", True),
        ("squashfs", "", True),
        ("ext4", "", False),
        ("vfat", "stick", False),  # no part of the tree, which ends there
    ],
)
def test_where_ctimes_do_not_say_what_changed_everything_is_listed(
    tree: Path,
    caplog: pytest.LogCaptureFixture,
    type_: str,
    place: str,
    is_fresh: bool,
) -> None:
    (tree / "stick").mkdir()
    with served() as server:
        clock = clock_of(server, tree)
    mounts = Mounts([Mount(b"/", "ext4"), Mount(bytes(tree.resolve() / place), type_)])
    with served() as server:
        server.monitor.policy_changed(Policy((), mounts), time.monotonic())
        answer = asked(server, tree, clock)
    assert answer["is_fresh_instance"] is is_fresh
    assert (f"({type_}) no time says what changed" in caplog.text) is is_fresh


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


def aged(path: Path) -> None:
    """Wait until the file is not as new as what happens now."""
    eventually(lambda: time.time_ns() - path.lstat().st_ctime_ns > 10 * MARGIN_NS)


def with_clock_offset(server: Home, seconds: int) -> None:
    """The real-time clock is so far ahead of the monotonic one."""
    memory = server.watchman.memory._memory()
    memory._clock_offset_ns = lambda: seconds * 1_000_000_000


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("seconds", "changed"), [(0, []), (60, []), (-60, ["kept", "gone"])]
)
def test_what_was_written_after_the_clock_was_set_back_may_have_changed(
    tree: Path, seconds: int, changed: list[str]
) -> None:
    aged(tree / "gone")
    with served() as server:
        clock = clock_of(server, tree)
        with_clock_offset(server, 1000)
    with served() as server:
        with_clock_offset(server, 1000 + seconds)
        answer = asked(server, tree, clock)
    assert answer["is_fresh_instance"] is False
    assert sorted(answer["files"]) == sorted(changed)


@pytest.mark.usefixtures("state")
def test_after_a_clock_that_was_set_back_to_before_the_save_everything_is_listed(
    tree: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with served() as server:
        clock = clock_of(server, tree)
    monkeypatch.setattr(memory_module, "time", SimpleNamespace(time_ns=lambda: 1))
    with home(next(_STARTS)) as server:
        assert asked(server, tree, clock)["is_fresh_instance"] is True
    assert "the clock was set back" in caplog.text


def test_an_older_copy_that_is_put_back_knows_older_clocks_only(
    tree: Path, state: Path, tmp_path: Path
) -> None:
    aged(tree / "gone")
    with served() as server:
        old = clock_of(server, tree)
    shutil.copytree(state, tmp_path / "copy")
    (tree / "first").touch()
    with served() as server:
        new = clock_of(server, tree)
    shutil.rmtree(state)
    (tmp_path / "copy").rename(state)
    (tree / "gone").unlink()
    with served() as server:
        answer = asked(server, tree, old)
        assert answer["is_fresh_instance"] is False
        assert sorted(answer["files"]) == ["first", "gone"]
        assert asked(server, tree, new)["is_fresh_instance"] is True


def test_a_store_that_was_exchanged_while_the_server_runs_is_written_as_a_whole(
    tree: Path, state: Path
) -> None:
    aged(tree / "gone")
    with served() as server:
        clock_of(server, tree)
        server.watchman.save()
        shutil.rmtree(state)
        (tree / "new").touch()
        clock = clock_of(server, tree)
        server.watchman.save()
    with served() as server:
        answer = asked(server, tree, clock)
    assert answer["is_fresh_instance"] is False
    assert answer["files"] in ([], ["new"])


@pytest.mark.usefixtures("state")
def test_what_several_saves_added_is_one_tree(tree: Path) -> None:
    aged(tree / "gone")
    with served() as server:
        clock = clock_of(server, tree)
        server.watchman.save()
        for number in range(5):
            (tree / f"d{number}").mkdir()
            (tree / f"d{number}/file").touch()
            server.watchman.save()
        (tree / "d1").rename(tree / "d2/moved")
        server.watchman.save()
        aged(tree / "d4/file")
        latest = clock_of(server, tree)
    (tree / "d3/file").unlink()
    with served() as server:
        assert asked(server, tree, latest)["files"] == ["d3/file"]
        found = set(asked(server, tree, clock)["files"])
    assert {"d0/file", "d2/moved/file", "d4/file"} <= found
    assert not {"kept", "gone"} & found
