"""Triggers: commands that run for what changed, one process each."""

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
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
    assert f"{root}: posix_spawnp: first pid=" in caplog.text


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
