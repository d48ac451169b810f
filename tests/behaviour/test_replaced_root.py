"""The watched path leads elsewhere, or nowhere, while things happen in both places."""

from pathlib import Path

import pytest

import gamin
from testkit.beliefs.watch import Belief, differences, there
from testkit.server_state import stopped_server
from testkit.watches import (
    SOON,
    created,
    deleted,
    exists,
    kill_server,
    until,
)

pytestmark = pytest.mark.usefixtures("own_server")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "box"
    path.mkdir()
    return path


def test_changes_at_the_former_place_are_not_reported_for_the_path(
    box: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "a longer name"
    belief = Belief(box)
    with gamin.watch(box, timeout=SOON) as watch:
        with stopped_server():  # so that all of it happens in one round
            (box / "first").touch()
            box.rename(elsewhere)
            (elsewhere / "second").touch()
            box.mkdir()
            (box / "third").touch()
        belief.take(until(watch, created(box / "third")))
        assert not belief.contradictions
        assert not differences(belief.top, there(box))


def test_a_link_that_is_turned_to_another_directory_shows_that_one(
    tmp_path: Path,
) -> None:
    one, other, link = tmp_path / "one", tmp_path / "the other", tmp_path / "link"
    for folder in (one, other):
        (folder / "sub").mkdir(parents=True)
    link.symlink_to(one)
    with gamin.watch(link, initial=True, timeout=SOON) as watch:
        belief = Belief(link)
        with stopped_server():
            (one / "file").touch()
            link.unlink()
            link.symlink_to(other)
            (other / "file").touch()
        while differences(belief.top, there(link)):
            belief.take(next(watch))
        assert not belief.contradictions


def test_the_deletion_of_the_path_is_reported_without_waiting_for_silence(
    box: Path,
) -> None:
    with gamin.watch(box, settle=60.0, timeout=SOON) as watch:
        (box / "file").touch()
        box.rename(box.with_name("elsewhere"))
        assert next(watch) == [deleted(box, is_dir=True)]
        box.mkdir()
        (box / "file").touch()
        assert until(watch, created(box, is_dir=True))


def test_a_client_that_returns_learns_that_the_path_is_gone(box: Path) -> None:
    with gamin.watch(box, timeout=SOON) as watch:
        clock = watch.clock
    box.rmdir()
    with gamin.watch(box, since=clock, timeout=SOON) as watch:
        assert next(watch) == [deleted(box, recovered=True)]


def test_a_client_that_returns_to_another_server_learns_that_the_path_is_gone(
    box: Path,
) -> None:
    (box / "file").touch()
    with gamin.watch(box, timeout=SOON) as watch:
        clock = watch.clock
    kill_server()
    (box / "file").unlink()
    with gamin.watch(box, since=clock, timeout=SOON) as watch:
        assert next(watch) == [exists(box, is_dir=True, recovered=True)]
