"""Random acts stay where they are meant to be, and each of them is possible."""

import os
from pathlib import Path

import pytest

from testkit.actions.actor import ONE_PATH, TWO_PATHS, Actor
from testkit.actions.acts import perform
from testkit.actions.real_disk import RealDisk

ACTS = 4000


@pytest.mark.parametrize("seed", [1, 2])
def test_paths_above_the_tree_are_left_alone(tmp_path: Path, seed: int) -> None:
    above = tmp_path / "above"
    root, outside = above / "root", above / "outside"
    root.mkdir(parents=True)
    outside.mkdir()
    for folder in (tmp_path, above):
        folder.chmod(0o751)
    disk = RealDisk(root, outside)
    actor = Actor(os.fsencode(root), os.fsencode(outside), seed)
    done: set[str] = set()
    for _ in range(ACTS):
        act = actor.choose()
        try:
            perform(act, disk)
        except OSError:
            continue
        done.add(act.verb)
    assert os.listdir(tmp_path) == ["above"]
    assert sorted(os.listdir(above)) == ["outside", "root"]
    assert {folder.stat().st_mode & 0o777 for folder in (tmp_path, above)} == {0o751}
    assert os.listdir(root)
    possible = {*ONE_PATH, *TWO_PATHS} - {"in", "out"}
    if os.geteuid():
        possible.discard("whiteout")
    assert done == possible


def test_the_same_seed_makes_the_same_choices() -> None:
    actors = [Actor(b"/r", b"/o", 7) for _ in range(2)]
    one, other = ([actor.choose() for _ in range(100)] for actor in actors)
    assert one == other


def test_some_paths_are_below_the_given_places_and_these_stay() -> None:
    place = b"/root/places/one"
    actor = Actor(b"/root", b"/outside", 1, places=[place])
    paths = [path for _ in range(1000) for path in actor.choose()[1:]]
    assert any(path.startswith(place + b"/") for path in paths)
    assert place not in paths
    assert b"/root/places" not in paths
