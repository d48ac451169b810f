"""watchfiles' engine over the service: what it returns, raises and falls back to."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gamin
from gamin.compat import engine
from gamin.compat.engine import ADDED, DELETED, MODIFIED, Engine
from testkit.servers import OUR_SERVER, running_server
from testkit.watches import kill_server, serving


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


def changes(watching: Engine) -> Any:
    return watching.watch(500, 50, 10_000, None)


def test_changes_come_as_a_set_spelled_as_the_path_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("changed", "deleted", "renamed"):
        (tmp_path / name).write_text(name)
    with Engine(["."]) as watching:
        (tmp_path / "added").write_text("new")
        (tmp_path / "changed").write_text("other")
        (tmp_path / "deleted").unlink()
        (tmp_path / "renamed").rename(tmp_path / "target")
        assert changes(watching) == {
            (ADDED, f"{tmp_path}/./added"),
            (MODIFIED, f"{tmp_path}/./changed"),
            (DELETED, f"{tmp_path}/./deleted"),
            (DELETED, f"{tmp_path}/./renamed"),
            (ADDED, f"{tmp_path}/./target"),
        }


def test_without_changes_the_time_out_ends_it(tmp_path: Path) -> None:
    with Engine([str(tmp_path)]) as watching:
        assert watching.watch(20, 1, 20, None) == "timeout"


def test_a_stop_event_ends_it_and_the_engine_goes_on_afterwards(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with Engine([str(tmp_path)]) as watching:
        assert watching.watch(20, 1, 10_000, stop) == "stop"
        (tmp_path / "a").touch()
        assert changes(watching) == {(ADDED, str(tmp_path / "a"))}


def test_a_closed_engine_refuses(tmp_path: Path) -> None:
    watching = Engine([str(tmp_path)])
    watching.close()
    watching.close()
    with pytest.raises(RuntimeError, match="RustNotify watcher closed"):
        watching.watch(20, 1, 20, None)


def test_a_path_that_is_missing_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        Engine([str(tmp_path), str(tmp_path / "missing")])


def test_ignored_names_are_matched_literally(tmp_path: Path) -> None:
    with Engine([str(tmp_path)], ignore=["a*", "!b"]) as watching:
        (tmp_path / "a*").touch()
        (tmp_path / "!b").mkdir()
        (tmp_path / "abc").touch()
        assert changes(watching) == {(ADDED, str(tmp_path / "abc"))}


def test_a_file_written_while_watching_begins_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_watch(*paths: str, **options: Any) -> Any:
        # The write is later than the call by more than one tick of the file system.
        started.wait(0.05)
        (tmp_path / "early").write_text("early")
        return real_watch(*paths, **options)

    started = threading.Event()
    real_watch = gamin.watch
    monkeypatch.setattr(engine, "watch", slow_watch)
    with Engine([str(tmp_path)]) as watching:
        assert changes(watching) == {(ADDED, str(tmp_path / "early"))}


def test_what_happens_after_the_server_was_killed_is_reported(tmp_path: Path) -> None:
    with Engine([str(tmp_path)]) as watching:
        kill_server()
        (tmp_path / "a").touch()
        assert changes(watching) == {(ADDED, str(tmp_path / "a"))}


def test_attributes_of_the_watched_directory_itself_are_modified(
    tmp_path: Path,
) -> None:
    with Engine([str(tmp_path)]) as watching:
        tmp_path.chmod(0o711)
        assert changes(watching) == {(MODIFIED, str(tmp_path))}


def test_closing_a_file_that_was_not_written_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    with Engine([str(tmp_path)]) as watching:
        with file.open("a"):
            pass
        (tmp_path / "last").touch()
        assert changes(watching) == {(ADDED, str(tmp_path / "last"))}


def test_what_is_behind_a_link_has_the_name_of_the_link(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "tree" / "link").symlink_to("../target")
    with Engine([str(tmp_path / "tree")]) as watching:
        (tmp_path / "target" / "f").touch()
        assert changes(watching) == {(ADDED, str(tmp_path / "tree" / "link" / "f"))}


def test_a_directory_that_may_not_be_read_is_an_error_unless_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with running_server([str(OUR_SERVER)], home=str(tmp_path)) as own:
        monkeypatch.setenv("GAM_CLIENT_ID", own.session)
        with pytest.raises(PermissionError, match=r"os error 13.*closed"):
            Engine([str(tmp_path)], ignore_permission_denied=False)
        Engine([str(tmp_path)], ignore_permission_denied=True).close()
