"""The kernel's queue overflows while several clients watch several trees."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

import gamin
from testkit.daemon import daemon
from testkit.server_state import losing, status
from testkit.watches import SOON, aged, changed, created, deleted, until

TREES = 10


@pytest.fixture
def trees(tmp_path: Path) -> list[Path]:
    trees = [tmp_path / f"tree-{number}" for number in range(TREES)]
    for tree in trees:
        (tree / "deep/deeper").mkdir(parents=True)
        (tree / "deep/gone").touch()
    return trees


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """The directory whose events fill the queue."""
    noise = tmp_path / "noise"
    noise.mkdir()
    return noise


@pytest.mark.usefixtures("own_server")
def test_lost_changes_of_every_tree_are_reported_and_marked_as_recovered(
    trees: list[Path], noise: Path
) -> None:
    with ExitStack() as several:
        several.enter_context(gamin.watch(noise))
        watches = [several.enter_context(gamin.watch(t, timeout=SOON)) for t in trees]
        with losing(noise):
            for tree in trees:
                (tree / "deep/gone").unlink()
                (tree / "new").mkdir()
                (tree / "new/file").touch()
        for tree, watch in zip(trees, watches, strict=True):
            wanted = [
                deleted(tree / "deep/gone", recovered=True),
                created(tree / "new", is_dir=True, recovered=True),
                created(tree / "new/file", recovered=True),
            ]
            reported = Counter(until(watch, *wanted))
            # Whether a directory has other rights, or only other entries, is the same
            # to its time stamp.
            del reported[changed(tree / "deep", is_dir=True, recovered=True)]
            assert reported == Counter(wanted)
        recoveries = status().recoveries
    assert (recoveries.overflows, recoveries.rescans) == (1, 1)


@pytest.mark.usefixtures("own_server")
def test_events_that_were_not_lost_are_not_reported_again(
    trees: list[Path], noise: Path
) -> None:
    with gamin.watch(noise), gamin.watch(trees[0], timeout=SOON) as watch:
        (trees[0] / "before").touch()
        assert next(watch) == [created(trees[0] / "before")]
        aged(trees[0] / "before")
        with losing(noise):
            (trees[0] / "after").touch()
        assert next(watch) == [created(trees[0] / "after", recovered=True)]


@pytest.mark.usefixtures("own_server")
def test_a_second_overflow_soon_after_the_first_is_made_good_by_a_second_rescan(
    trees: list[Path], noise: Path
) -> None:
    with gamin.watch(noise), gamin.watch(trees[0], timeout=SOON) as watch:
        for name in ("one", "two"):
            with losing(noise):
                (trees[0] / name).touch()
            until(watch, created(trees[0] / name, recovered=True))
        recoveries = status().recoveries
    assert (recoveries.overflows, recoveries.rescans) == (2, 2)


def test_an_overflow_loses_nothing_in_polled_directories(
    session: str, trees: list[Path], noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled, noticed = trees[:2]
    rules = f"poll {polled} {polled}/*\n"
    with daemon(session, noise.parent / "home", rules=rules) as served:
        for name, value in served.environ.items():
            monkeypatch.setenv(name, value)
        with (
            gamin.watch(noise),
            gamin.watch(polled, timeout=SOON) as watch,
            gamin.watch(noticed, timeout=SOON) as other,
        ):
            with losing(noise):
                (polled / "new").touch()
                (noticed / "new").touch()
            assert next(other) == [created(noticed / "new", recovered=True)]
            assert next(watch) == [created(polled / "new")]
