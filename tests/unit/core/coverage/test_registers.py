"""The registers of directories that are not watched as usual."""

import pytest

from gamin.core.coverage.registers import Registers
from gamin.core.model.node import Node


@pytest.fixture
def registers() -> Registers:
    return Registers()


@pytest.fixture
def node() -> Node:
    return Node(Node(None, b""), b"d")


def test_only_the_first_directory_over_quota_is_news(
    registers: Registers, node: Node
) -> None:
    assert registers.exceed_quota(node)
    assert not registers.exceed_quota(Node(node, b"other"))


def test_a_directory_that_was_just_retried_is_no_news(
    registers: Registers, node: Node
) -> None:
    registers.exceed_quota(node)
    assert registers.retry_quota(5) == [node]
    assert not registers.over_quota
    assert not registers.exceed_quota(node)
    assert set(registers.over_quota) == {node}


def test_a_retry_takes_no_more_than_it_was_asked_for(
    registers: Registers, node: Node
) -> None:
    nodes = [Node(node, b"%d" % number) for number in range(5)]
    for each in nodes:
        registers.exceed_quota(each)
    assert registers.retry_quota(2) == nodes[:2]
    assert list(registers.over_quota) == nodes[2:]


def test_an_unreadable_directory_whose_parent_the_kernel_watches_is_not_scanned_again(
    registers: Registers, node: Node
) -> None:
    assert node.parent is not None
    node.parent.kernel_mask = 1
    registers.become_unreadable(node)
    assert node.unreadable
    assert node in registers.unreadable
    assert node not in registers.unwatched_unreadable


def test_an_unreadable_directory_below_a_polled_one_is_scanned_again(
    registers: Registers, node: Node
) -> None:
    registers.become_unreadable(node)
    assert node in registers.unwatched_unreadable
    registers.confirm_present(node, 0)
    assert not node.unreadable
    assert not registers.unreadable
    assert not registers.unwatched_unreadable


def test_misplaced_directories_are_counted_until_they_are_found(
    registers: Registers, node: Node
) -> None:
    registers.suspect(node)
    registers.suspect(node, 1)
    assert registers.misplaced == {node: 0}
    registers.not_found(node)
    registers.not_found(node)
    assert registers.misplaced == {node: 2}
    registers.confirm_present(node, 0)
    assert not registers.misplaced


def test_taking_the_misplaced_empties_their_register(
    registers: Registers, node: Node
) -> None:
    registers.suspect(node, 1)
    assert registers.take_misplaced() == {node: 1}
    assert not registers.misplaced


def test_a_directory_polled_for_churn_or_writes_is_not_usual(
    registers: Registers, node: Node
) -> None:
    assert registers.is_usual(node)
    registers.poll_for_churn(node)
    assert not registers.is_usual(node)
    registers.calm_churn(node)
    registers.poll_for_writes(node)
    assert not registers.is_usual(node)
    registers.calm_writes(node)
    assert registers.is_usual(node)


def test_a_forgotten_directory_is_only_known_as_handed_to_polling(
    registers: Registers, node: Node
) -> None:
    registers.exceed_quota(node)
    registers.become_unreadable(node)
    registers.poll_for_churn(node)
    registers.poll_for_writes(node)
    registers.suspect(node)
    registers.hand_to_polling(node)
    registers.forget(node)
    assert registers.is_usual(node)
    assert not node.unreadable
    assert not registers.unreadable
    assert not registers.unwatched_unreadable
    assert not registers.misplaced
    assert set(registers.handed_to_polling) == {node}
    registers.queue_was_complete()
    assert not registers.handed_to_polling


@pytest.mark.parametrize(
    ("wanted", "scanned", "is_left"),
    [(0, 0, False), (5, 0, True), (5, 6, True), (5, 5, False), (5, 1, False)],
)
def test_a_scan_that_reports_less_than_a_failed_one_does_not_replace_it(
    wanted: int, scanned: int, is_left: bool
) -> None:
    registers, node = Registers(), Node(None, b"")
    registers.postpone_listing(node, wanted)
    registers.confirm_present(node, scanned)
    assert registers.take_late() == ({node: wanted} if is_left else {})
