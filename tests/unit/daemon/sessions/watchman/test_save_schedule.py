"""When what is known is saved while the server runs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.config.state_settings import StateSettings
from gamin.daemon.sessions.watchman import save_schedule as module
from gamin.daemon.sessions.watchman.save_schedule import SaveSchedule
from testkit.no_threads import no_thread_can_start
from testkit.sessions import Home, home
from testkit.waiting import eventually


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A server that remembers, and saves as soon as something happens."""
    monkeypatch.delenv("GAMIN_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    with home() as made:
        yield made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    return tree


def schedule(server: Home) -> SaveSchedule:
    return server.watchman._saves


def test_a_new_root_is_saved_without_the_end_of_the_server(
    server: Home, tree: Path
) -> None:
    server.watcher().ask("watch", str(tree))
    server.run_until(server.watchman.memory.size, what="a save")
    server.watchman.memory.wait()
    assert schedule(server)._timer is None  # an idle server has no timer


def test_what_no_thread_could_save_is_still_to_be_saved(
    server: Home, tree: Path
) -> None:
    server.watcher().ask("watch", str(tree))
    (root,) = server.watchman.roots.all
    saves = schedule(server)
    saves.cancel()
    server.watchman.memory.wait()
    saves.changed(root)
    with no_thread_can_start():
        server.run_until(lambda: saves._earliest, what="a save")
    assert saves._changed == {root}
    assert saves._timer is not None


def test_the_next_save_comes_much_later(server: Home, tree: Path) -> None:
    server.watcher().ask("watch", str(tree))
    server.run_until(server.watchman.memory.size, what="a save")
    server.watchman.memory.wait()
    before = time.monotonic()
    (root,) = server.watchman.roots.all
    schedule(server).changed(root)
    timer = schedule(server)._timer
    assert timer is not None
    assert timer.when() - before > StateSettings().save_interval / 2
    schedule(server).changed(root)
    assert schedule(server)._timer is timer


def test_a_save_waits_until_changes_have_ended(
    server: Home, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 3600.0)
    server.watcher().ask("watch", str(tree))
    eventually(lambda: schedule(server)._timer is not None, what="a change")
    schedule(server)._save_if_quiet()
    assert schedule(server)._changed  # not saved
    assert schedule(server)._timer is not None


def test_a_save_does_not_wait_for_ever_for_the_end_of_changes(
    server: Home, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 3600.0)
    server.service.state = StateSettings(save_interval=0.0)
    server.watcher().ask("watch", str(tree))
    server.run_until(server.watchman.memory.size, what="a save")


def test_a_canceled_schedule_saves_nothing(server: Home, tree: Path) -> None:
    server.watcher().ask("watch", str(tree))
    schedule(server).cancel()
    schedule(server).cancel()
    assert schedule(server)._timer is None


def test_where_nothing_is_kept_there_is_no_timer(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_STATE", "off")
    with home() as server:
        server.watcher().ask("watch", str(tree))
        assert schedule(server)._timer is None


def test_a_root_is_saved_before_it_is_closed(server: Home, tree: Path) -> None:
    server.watcher().ask("watch", str(tree))
    server.run_until(server.watchman.memory.size, what="a save")
    [(key, root)] = server.watchman.roots.by_key()
    closed: list[bool] = []
    for _ in range(2):  # the second one waits for the first
        schedule(server).save_before_closing(key, root, lambda: closed.append(True))
    server.run_until(lambda: len(closed) == 2, what="the end of the saves")
    assert schedule(server)._steps is None


def test_where_nothing_is_kept_a_root_is_closed_at_once(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_STATE", "off")
    with home() as server:
        server.watcher().ask("watch", str(tree))
        [(key, root)] = server.watchman.roots.by_key()
        closed: list[bool] = []
        schedule(server).save_before_closing(key, root, lambda: closed.append(True))
        assert closed


def test_a_save_waits_while_a_client_waits_for_what_was_saved(
    server: Home, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(server.watchman.memory), "is_recalling", True)
    server.watcher().ask("watch", str(tree))
    saves = schedule(server)
    eventually(lambda: saves._timer is not None, what="a change")
    saves._save_if_quiet()
    assert saves._changed
    assert saves._steps is None


def test_other_work_runs_between_the_slices_of_a_save(
    server: Home, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        (tree / str(number)).mkdir()
    monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    peer = server.watcher()
    peer.ask("watch", str(tree))
    saves = schedule(server)
    server.run_until(lambda: saves._steps is not None, what="a save")
    assert "clock" in peer.ask("clock", str(tree))
    server.run_until(server.watchman.memory.size, what="a save")
