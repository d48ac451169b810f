"""`gamin.watch` across servers that are killed or stopped."""

from pathlib import Path

import pytest

import gamin
from testkit.server_state import stopped_server
from testkit.watches import (
    SOON,
    aged,
    changed,
    created,
    deleted,
    exists,
    kill_server,
    moved,
    until,
)

pytestmark = pytest.mark.usefixtures("own_server")


def test_a_clock_of_a_former_server_gives_a_listing_marked_as_recovered(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    with gamin.watch(tmp_path) as watch:
        clock = watch.clock
    kill_server()
    with gamin.watch(tmp_path, since=clock, timeout=SOON) as watch:
        assert next(watch) == [exists(tmp_path / "file", recovered=True)]


def test_a_server_is_killed_and_nothing_is_missed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    files = [tmp_path / name for name in ("kept", "changed", "gone", "folder/gone")]
    for file in files:
        file.touch()
    aged(*files)
    with gamin.watch(tmp_path, timeout=SOON) as watch:
        kill_server()
        (tmp_path / "new").touch()
        (tmp_path / "changed").write_text("text")
        (tmp_path / "gone").unlink()
        (folder / "gone").unlink()
        folder.rmdir()

        difference = next(watch)
        assert set(difference) == {
            created(tmp_path / "new", recovered=True),
            changed(tmp_path / "changed", recovered=True),
            deleted(tmp_path / "gone", recovered=True),
            deleted(folder / "gone", recovered=True),
            deleted(folder, is_dir=True, recovered=True),
        }
        assert len(difference) == 5
        (tmp_path / "new").unlink()
        assert next(watch) == [deleted(tmp_path / "new")]


def test_a_path_replaced_while_no_server_runs_is_reported(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    with gamin.watch(folder, file, timeout=SOON) as watch:
        kill_server()
        folder.rmdir()
        file.touch()
        until(
            watch,
            deleted(folder, is_dir=True, recovered=True),
            created(file, recovered=True),
        )


@pytest.mark.parametrize(
    "place", [pytest.param("watched", id="the path itself"), "watched/folder"]
)
def test_a_directory_replaced_while_no_server_runs_is_reported(
    tmp_path: Path, place: str
) -> None:
    """The new directory is as old as the replaced one, and so are its files."""
    for folder in (tmp_path / "watched", tmp_path / "other"):
        (folder / "folder/deep").mkdir(parents=True)
        for name in ("folder/file", "folder/deep/file"):
            (folder / name).touch()
    files = [tmp_path / "watched/folder" / name for name in ("file", "deep/file")]
    aged(*files, tmp_path / "other/folder/deep/file")
    with gamin.watch(tmp_path / "watched", timeout=SOON) as watch:
        kill_server()
        (tmp_path / place).rename(tmp_path / "away")
        (tmp_path / place.replace("watched", "other")).rename(tmp_path / place)
        difference = next(watch)
        assert set(difference) == {changed(file, recovered=True) for file in files}
        assert len(difference) == 2


def test_events_that_a_watch_received_are_not_reported_again_after_a_restart(
    tmp_path: Path,
) -> None:
    """The belief follows the events: only then a later difference is right."""
    old, deep = tmp_path / "old", tmp_path / "new/deep"
    old.mkdir()
    (old / "file").touch()
    with gamin.watch(tmp_path, timeout=SOON) as watch:
        old.rename(tmp_path / "new")
        deep.mkdir()
        until(watch, moved(old, deep.parent, is_dir=True), created(deep, is_dir=True))
        kill_server()
        (deep / "file").touch()
        reported = until(watch, created(deep / "file", recovered=True))
        assert [
            event for event in reported if event.kind is not gamin.Kind.CHANGED
        ] == [created(deep / "file", recovered=True)]


def test_a_stopped_server_delays_events_and_loses_none(
    tmp_path: Path,
) -> None:
    with gamin.watch(tmp_path, timeout=0.1) as watch:
        with stopped_server():
            (tmp_path / "file").touch()
            with pytest.raises(gamin.WatchTimeout):
                next(watch)
        with gamin.watch(tmp_path):  # answered, so it has gone on
            assert next(watch) == [created(tmp_path / "file")]
