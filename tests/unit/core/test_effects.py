"""What the core asks its executor to do."""

import pytest

from gamin.core.effects import Deliver, Scan, new_deliver
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.events import (
    AnyRow,
    Kind,
    Row,
)

SUBSCRIPTION = Subscription(1, 1, b"/d", Scope.TREE)


def test_a_new_delivery_is_one_that_the_class_makes() -> None:
    rows: list[AnyRow] = [Row(Kind.CREATED, b"/d/f", False)]
    made = new_deliver(((SUBSCRIPTION,), rows, True, False))
    assert type(made) is Deliver
    assert made == Deliver((SUBSCRIPTION,), rows, True, False)
    assert len(made) == len(Deliver._fields)


@pytest.fixture
def node() -> Node:
    node = Node(Node(None, b""), b"d")
    node.mask = node.kernel_mask = 1
    return node


def test_the_first_scan_of_a_directory_that_the_kernel_watches_is_recognised(
    node: Node,
) -> None:
    assert Scan(node, SUBSCRIPTION).is_first_kernel_scan


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        pytest.param("listed", True, id="scanned before"),
        pytest.param("wd", 3, id="watched already"),
        pytest.param("kernel_mask", 0, id="not by the kernel"),
        pytest.param("poll_mask", 1, id="polled too"),
        pytest.param("wd_poll", 1, id="still polled"),
    ],
)
def test_every_other_scan_is_not_a_first_one_by_the_kernel(
    node: Node, slot: str, value: int
) -> None:
    setattr(node, slot, value)
    assert not Scan(node, SUBSCRIPTION).is_first_kernel_scan


def test_a_scan_after_a_loss_is_not_a_first_one(node: Node) -> None:
    assert not Scan(node, None, 1).is_first_kernel_scan
