"""Paths that are added to a watch and taken from it, and what a watch may ask for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import gamin
from gamin import Detail, Event, Watch
from testkit.servers import OUR_SERVER, running_server
from testkit.watches import SOON, changed, created, kill_server, until

# -- paths that are added and taken away


def test_a_path_is_added_and_taken_away(watch: Watch, tmp_path: Path) -> None:
    with TemporaryDirectory() as other:
        watch.add(other)
        (Path(other) / "f").touch()
        assert next(watch) == [created(Path(other) / "f")]
        watch.remove(other)
        (Path(other) / "g").touch()
        (tmp_path / "last").touch()
        assert next(watch) == [created(tmp_path / "last")]
        with pytest.raises(ValueError, match="is not watched"):
            watch.remove(other)


def test_a_path_is_added_while_another_thread_iterates(
    watch: Watch, tmp_path: Path
) -> None:
    with TemporaryDirectory() as other, ThreadPoolExecutor() as pool:
        batch = pool.submit(next, watch)
        watch.add(other)
        (Path(other) / "f").touch()
        assert batch.result(SOON) == [created(Path(other) / "f")]


@pytest.mark.usefixtures("own_server")
def test_paths_that_were_added_survive_the_server(tmp_path: Path) -> None:
    with TemporaryDirectory() as other, gamin.watch(tmp_path, timeout=SOON) as watch:
        watch.add(other)
        kill_server()
        (Path(other) / "f").touch()
        assert until(watch, created(Path(other) / "f", recovered=True))


def test_no_path_is_added_to_a_watch_that_is_closed(
    watch: Watch, tmp_path: Path
) -> None:
    watch.close()
    with pytest.raises(ValueError, match="closed"):
        watch.add(tmp_path)


# -- what a watch may ask for


@pytest.mark.usefixtures("server")
def test_details_say_what_exactly_changed(tmp_path: Path) -> None:
    file = tmp_path / "f"
    with gamin.watch(tmp_path, details=True, timeout=SOON) as watch:
        file.write_text("text")
        events: list[Event] = []
        while not any(
            Detail.CLOSED in (event.details or Detail(0)) for event in events
        ):
            events += next(watch)
        assert events[0] == created(file)
        assert any(Detail.CONTENT in (event.details or Detail(0)) for event in events)
        file.chmod(0o600)
        (event,) = next(watch)
        assert event.details == Detail.ATTRIBUTES
        with file.open("a"):
            pass
        (event,) = next(watch)
        assert event.details == Detail.CLOSED
        tmp_path.chmod(0o711)
        (event,) = next(watch)
        assert event == changed(tmp_path, is_dir=True)


@pytest.mark.usefixtures("server")
def test_a_watch_that_does_not_ask_has_no_details(watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "f"
    with gamin.watch(tmp_path, details=True):
        file.touch()
        events = until(watch, created(file))
        with file.open("a"):
            pass
        (tmp_path / "last").touch()
        events += until(watch, created(tmp_path / "last"))
    assert events == [created(file), created(tmp_path / "last")]
    assert {event.details for event in events} == {None}


@pytest.mark.usefixtures("server")
def test_without_flow_control_each_change_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    with gamin.watch(tmp_path, flow_control=False, timeout=SOON) as watch:
        for _ in range(12):
            file.write_text("text")
            assert set(next(watch)) == {changed(file)}


def test_directories_that_may_not_be_read_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with running_server([str(OUR_SERVER)], home=str(tmp_path)) as server:
        monkeypatch.setenv("GAM_CLIENT_ID", server.session)
        with gamin.watch(tmp_path, unreadable=True, timeout=SOON) as watch:
            assert watch.unreadable == [str(closed)]
            closed.chmod(0o700)
            (closed / "f").touch()
            until(watch, created(closed / "f"))
            assert watch.unreadable == []
