"""What the one model of a client's belief calls a contradiction, and what it believes
after it."""

import pytest

from testkit.beliefs.belief import Belief


@pytest.fixture
def received() -> list[str]:
    return []


@pytest.fixture
def belief(received: list[str]) -> Belief:
    """A directory `d` with a file `d/f`, and nothing else."""
    belief = Belief(received.append)
    belief.created(b"d", True)
    belief.created(b"d/f", False)
    return belief


def test_events_that_fit_are_no_contradiction(
    belief: Belief, received: list[str]
) -> None:
    belief.changed(b"d/f", False)
    belief.moved(b"d", b"e", True)
    belief.deleted(b"e/f", False)
    belief.deleted(b"e", True)
    assert belief.entries() == {}
    assert received == []


def test_a_directory_moves_with_all_below(belief: Belief) -> None:
    belief.moved(b"d", b"e", True)
    assert belief.entries() == {b"e": True, b"e/f": False}


def test_created_what_is_there_contradicts(belief: Belief, received: list[str]) -> None:
    belief.created(b"d/f", False)
    assert len(received) == 1


def test_changed_or_deleted_what_is_not_there_contradicts(
    belief: Belief, received: list[str]
) -> None:
    belief.changed(b"x", False)
    belief.deleted(b"x", False)
    belief.deleted(b"unknown/x", False)
    assert len(received) == 3
    assert belief.entries(is_implied=True) == {b"d": True, b"d/f": False}


def test_a_difference_may_delete_an_unreported_entry(
    belief: Belief, received: list[str]
) -> None:
    assert not belief.deleted(b"unknown/x", False, is_belated=True)
    assert belief.deleted(b"d", True, is_belated=True)
    assert belief.entries(is_implied=True) == {}
    assert received == []


def test_deleted_before_what_is_in_it_contradicts(
    belief: Belief, received: list[str]
) -> None:
    belief.deleted(b"d", True)
    assert len(received) == 1


def test_deleted_as_another_kind_contradicts(
    belief: Belief, received: list[str]
) -> None:
    belief.deleted(b"d/f", True)
    assert len(received) == 1


def test_a_created_file_ends_a_directory_of_that_name(belief: Belief) -> None:
    belief.created(b"d", False)
    assert belief.entries() == {b"d": False}


@pytest.mark.parametrize(("target", "is_new"), [(b"d/f", True), (b"x", False)])
def test_a_move_says_whether_it_replaced_something(
    belief: Belief, received: list[str], target: bytes, is_new: bool
) -> None:
    belief.created(b"g", False)
    belief.moved(b"g", target, is_new)
    assert len(received) == 1


def test_a_move_from_an_unknown_place_contradicts_and_is_believed(
    belief: Belief, received: list[str]
) -> None:
    belief.moved(b"x", b"y")
    assert len(received) == 1
    assert b"y" in belief.entries()


def test_an_entry_of_an_unknown_directory_implies_it() -> None:
    belief = Belief()
    belief.created(b"a/b", False)
    assert belief.entries() == {b"a/b": False}
    assert set(belief.entries(is_implied=True)) == {b"a", b"a/b"}
