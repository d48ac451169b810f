import pytest

from gamin.core.model.moment import Moment
from gamin.core.model.tree import Tree


@pytest.fixture
def tree() -> Tree:
    return Tree()


@pytest.fixture
def moment(tree: Tree) -> Moment:
    return Moment(tree)


def test_every_operation_has_a_tick_of_its_own(tree: Tree, moment: Moment) -> None:
    before = tree.tick
    moment.advance(5.0)
    moment.advance(5.0)
    assert tree.tick == before + 2
    assert moment.now == 5.0


def test_what_was_before_an_operation_was_reported_before(
    tree: Tree, moment: Moment
) -> None:
    moment.advance(5.0)
    tree.tick += 1
    before = tree.tick
    moment.advance(5.0)
    assert moment.reported_tick == before


def test_a_tick_of_two_seconds_ago_is_recent(tree: Tree, moment: Moment) -> None:
    moment.advance(5.0)
    then = tree.tick
    moment.advance(7.9)
    assert then > moment.recent_tick


def test_a_tick_of_three_seconds_ago_is_not_recent(tree: Tree, moment: Moment) -> None:
    moment.advance(5.0)
    then = tree.tick
    moment.advance(8.0)
    assert then <= moment.recent_tick


def test_after_a_long_rest_only_the_present_tick_is_recent(
    tree: Tree, moment: Moment
) -> None:
    moment.advance(5.0)
    moment.advance(500.0)
    assert moment.recent_tick == tree.tick - 1
