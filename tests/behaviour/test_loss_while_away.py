"""A client leaves, and comes back with its clock."""

from pathlib import Path

import pytest

import gamin
from gamin import Kind
from testkit.beliefs.watch import Belief, differences, there
from testkit.watches import SOON, kill_server

pytestmark = pytest.mark.usefixtures("own_server")

NAMES = 500


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for folder in ("kept", "gone/deep", "moved/deep"):
        (tree / folder).mkdir(parents=True)
        for number in range(NAMES):
            (tree / folder / str(number)).touch()
    return tree


def test_a_client_that_returns_gets_exactly_what_it_missed(tree: Path) -> None:
    belief = Belief(tree)
    with gamin.watch(tree, initial=True, timeout=SOON) as watch:
        belief.take(next(watch))
    changes = change_much(tree)
    with gamin.watch(tree, since=watch.clock, timeout=SOON) as watch:
        reported: list[gamin.Event] = []
        while len(reported) < changes:  # in as many batches as were read at once
            reported += next(watch)
        belief.take(reported)
    assert not belief.contradictions
    assert not belief.repeated
    assert not differences(belief.top, there(tree))
    assert len(reported) == changes
    assert not any(event.recovered for event in reported)


def change_much(tree: Path) -> int:
    """How many events it takes to report the difference this makes."""
    for number in range(NAMES):
        (tree / "gone/deep" / str(number)).unlink()
        (tree / "kept" / str(number)).write_text("text")
        (tree / "kept" / f"new-{number}").touch()
    (tree / "gone/deep").rmdir()
    (tree / "short-lived").touch()
    (tree / "short-lived").unlink()
    (tree / "moved").rename(tree / "elsewhere")
    of_what_moved = 2 * (2 + NAMES)
    return 3 * NAMES + 1 + of_what_moved


def test_another_server_returns_a_listing_that_is_marked_as_recovered(
    tree: Path,
) -> None:
    with gamin.watch(tree, timeout=SOON) as watch:
        pass
    kill_server()
    (tree / "kept/0").unlink()
    with gamin.watch(tree, since=watch.clock, timeout=SOON) as watch:
        reported = next(watch)
    assert {(event.kind, event.recovered) for event in reported} == {
        (Kind.EXISTS, True)
    }
    assert {event.path for event in reported} == {str(path) for path in tree.rglob("*")}


def test_a_clock_that_this_server_never_had_gives_a_listing_marked_as_recovered(
    tree: Path,
) -> None:
    with gamin.watch(tree, timeout=SOON) as watch:
        assert watch.clock is not None
        root, _, tick = watch.clock.rpartition(":")
        for clock in (f"{root}:{int(tick) + 10**6}", f"{root[:-1]}9{root[-1]}:{tick}"):
            with gamin.watch(tree, since=clock, timeout=SOON) as again:
                assert {(e.kind, e.recovered) for e in next(again)} == {
                    (Kind.EXISTS, True)
                }
