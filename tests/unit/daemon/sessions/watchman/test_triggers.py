"""Triggers: commands that run for what changed, one process each."""

import gc
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.daemon.io import child
from gamin.daemon.io.child import Program
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.triggers import _names_that_fit
from testkit.rows import NOW, row
from testkit.sessions import Home, WatchmanPeer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def peer(server: Home, root: Path) -> WatchmanPeer:
    made = server.watcher()
    made.ask("watch", str(root))
    return made


def trigger(log: Path, name: str = "t", **options: object) -> dict[str, object]:
    """A command that appends its input and its arguments to `log`."""
    text = f'{{ cat; printf "%s\\n" "$@"; }} >> {log}'
    return {
        "name": name,
        "command": ["sh", "-c", text, "sh"],
        "stdin": "NAME_PER_LINE",
        **options,
    }


def lines(server: Home, log: Path, count: int) -> list[str]:
    def written() -> list[str] | None:
        found = log.read_text().split() if log.exists() else []
        return found if len(found) >= count else None

    return server.run_until(written, what=f"{count} lines")


def defined(peer: WatchmanPeer, root: Path, made: dict[str, Any]) -> str:
    return str(peer.ask("trigger", str(root), made)["disposition"])


def test_a_trigger_runs_for_what_is_there_and_for_what_comes(
    peer: WatchmanPeer, root: Path, tmp_path: Path
) -> None:
    (root / "old.c").touch()
    log = tmp_path / "log"
    made = trigger(log, expression=["suffix", "c"])
    assert defined(peer, root, made) == "created"
    assert lines(peer.home, log, 1) == ["old.c"]
    (root / "new.o").touch()
    (root / "new.c").touch()
    assert lines(peer.home, log, 2) == ["old.c", "new.c"]


def test_a_trigger_is_known_by_its_name(
    peer: WatchmanPeer, root: Path, tmp_path: Path
) -> None:
    made = trigger(tmp_path / "log")
    assert defined(peer, root, made) == "created"
    assert defined(peer, root, made) == "already_defined"
    assert defined(peer, root, {**made, "append_files": True}) == "replaced"
    (listed,) = peer.ask("trigger-list", str(root))["triggers"]
    assert listed["name"] == "t"
    assert peer.ask("trigger-del", str(root), "t")["deleted"] is True
    assert peer.ask("trigger-del", str(root), "t")["deleted"] is False
    assert peer.ask("trigger-list", str(root))["triggers"] == []


def test_names_become_arguments_where_that_is_wanted(
    peer: WatchmanPeer, root: Path, tmp_path: Path
) -> None:
    (root / "a").touch()
    made = trigger(tmp_path / "log", stdin="/dev/null", append_files=True)
    defined(peer, root, made)
    assert lines(peer.home, tmp_path / "log", 1) == ["a"]


def test_the_log_says_which_trigger_runs(
    peer: WatchmanPeer, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    (root / "a").touch()
    defined(peer, root, trigger(tmp_path / "log", "first"))
    text = f"{root}: posix_spawnp: first pid="
    peer.home.run_until(lambda: text in caplog.text, what="the line")


HOUR = 3600.0
"""Seconds for which a slow root must be quiet: longer than any test runs."""


class Programs:
    """Programs that are not run: the test ends them."""

    def __init__(self) -> None:
        self.inputs: list[list[str]] = []
        """The sorted names that each run was given."""
        self.end: Callable[[int], None] = lambda status: None

    def start(self, program: Program, loop: Loop, ended: Callable[[int], None]) -> int:
        self.inputs.append(sorted((program.stdin or b"").decode().split()))
        self.end = ended
        return 1


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = Programs()
    monkeypatch.setattr(child, "start", made.start)
    return made


class SlowRoot:
    """A root that settles when a test has it do so, with a trigger for short names."""

    def __init__(self, peer: WatchmanPeer, root: Path) -> None:
        (root / ".watchmanconfig").write_text(f'{{"settle": {HOUR * 1000:.0f}}}')
        peer.ask("watch-del", str(root))
        peer.ask("watch", str(root))
        self._peer = peer
        self._root = root

    def define(self) -> None:
        made = trigger(Path(os.devnull), expression=["match", "?"])
        defined(self._peer, self._root, made)

    def touch(self, *names: str) -> None:
        """The server has reported it afterwards."""
        for name in names:
            (self._root / name).touch()
        self._peer.ask("clock", str(self._root))
        activities = self._peer.home.monitor.activities
        inside = bytes(self._root) + b"/"
        self._peer.home.run_until(lambda: not activities.is_held_below(inside))

    def settle(self) -> None:
        self._peer.home.clock.skip(HOUR)
        self._peer.ask("clock", str(self._root))


@pytest.fixture
def slow_root(peer: WatchmanPeer, root: Path) -> SlowRoot:
    return SlowRoot(peer, root)


def test_all_that_changed_before_a_root_settled_is_one_run(
    slow_root: SlowRoot, programs: Programs
) -> None:
    slow_root.touch("a")
    slow_root.define()
    slow_root.touch("b")
    assert programs.inputs == [], "it runs when the root is quiet, at first, too"
    slow_root.settle()
    assert programs.inputs == [["a", "b"]]
    programs.end(0)
    slow_root.touch("b")
    slow_root.touch("c")
    slow_root.settle()
    assert programs.inputs[1:] == [["b", "c"]]


def test_what_settles_when_a_command_ends_is_not_cut_in_two(
    slow_root: SlowRoot, programs: Programs
) -> None:
    slow_root.touch("a")
    slow_root.define()
    slow_root.settle()
    slow_root.touch("b")
    slow_root.settle()
    slow_root.touch("c")
    programs.end(0)
    slow_root.touch("d")
    assert programs.inputs == [["a"]]
    slow_root.settle()
    assert programs.inputs[1:] == [["b", "c", "d"]]


def test_what_settled_during_a_run_is_given_to_the_next_at_once(
    slow_root: SlowRoot, programs: Programs
) -> None:
    slow_root.touch("a")
    slow_root.define()
    slow_root.settle()
    slow_root.touch("b", "c")
    slow_root.settle()
    assert programs.inputs == [["a"]]
    programs.end(0)
    assert programs.inputs[1:] == [["b", "c"]]


def test_a_file_that_is_being_written_keeps_a_root_from_settling(
    slow_root: SlowRoot, programs: Programs, root: Path
) -> None:
    slow_root.touch("a", "b")
    slow_root.define()
    with (root / "a").open("ab", buffering=0) as file:
        slow_root.touch("b")
        file.write(b"more")
        slow_root.settle()
        assert programs.inputs == []
    slow_root.touch("c")
    slow_root.settle()
    assert programs.inputs == [["a", "b", "c"]]


def test_a_trigger_waits_for_a_version_control_system(
    slow_root: SlowRoot, programs: Programs, root: Path
) -> None:
    (root / ".git").mkdir()
    lock = root / ".git" / "index.lock"
    slow_root.define()
    lock.touch()
    slow_root.touch("a")
    slow_root.settle()
    assert programs.inputs == []
    lock.unlink()
    slow_root.touch("b")
    assert programs.inputs == []
    slow_root.settle()
    assert programs.inputs == [["a", "b"]]


def test_a_root_that_need_not_be_quiet_has_its_triggers_run_at_once(
    peer: WatchmanPeer, root: Path, programs: Programs
) -> None:
    (root / ".watchmanconfig").write_text('{"settle": 0}')
    peer.ask("watch-del", str(root))
    peer.ask("watch", str(root))
    (root / "a").touch()
    peer.ask("clock", str(root))
    defined(peer, root, trigger(Path(os.devnull), expression=["match", "?"]))
    assert programs.inputs == [["a"]]


def test_a_command_that_fails_is_noted(
    peer: WatchmanPeer, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (root / "a").touch()
    defined(peer, root, {"name": "t", "command": ["sh", "-c", "exit 3"]})
    peer.home.run_until(lambda: "ended with status 3" in caplog.text)


def test_a_server_has_a_limited_number_of_triggers(
    peer: WatchmanPeer, root: Path, tmp_path: Path
) -> None:
    peer.home.service.limit(ClientLimits(triggers=1))
    defined(peer, root, trigger(tmp_path / "log", "one"))
    reply = peer.ask("trigger", str(root), trigger(tmp_path / "log", "two"))
    assert reply["error"].endswith("no more than 1 triggers")


def test_the_triggers_of_a_root_end_with_it(
    peer: WatchmanPeer, root: Path, tmp_path: Path
) -> None:
    defined(peer, root, trigger(tmp_path / "log"))
    [known] = map(weakref.ref, peer.home.watchman.roots.all)
    peer.ask("watch-del", str(root))
    gc.collect()
    assert known() is None
    peer.ask("watch", str(root))
    assert peer.ask("trigger-list", str(root))["triggers"] == []


def test_names_that_are_too_long_for_arguments_are_left_out() -> None:
    rows = FileRows([row(b"abc"), row(b"de"), row(b"f")], ("name",), NOW)
    assert _names_that_fit(rows, 7) == [b"abc", b"de"]
    assert _names_that_fit(rows, 6) == [b"abc"]
    assert _names_that_fit(rows, 100) == [b"abc", b"de", b"f"]
