"""What did not fit into the kernel's quota is tried again, a little at a time."""

import errno

import pytest

from gamin.config.mounts import Mounts
from gamin.config.policy import Policy
from gamin.core.coverage.quota_retry import RETRY_SECONDS
from gamin.core.effects import Scan, Trace, TraceKind, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor

CROWD = 8


@pytest.fixture
def monitor() -> Monitor:
    """One that watches a tree of which nothing had room, at second 0."""
    monitor = Monitor(Policy((), Mounts()))
    top = monitor.coverage.ensure_child(monitor.tree.root, b"t")
    top.wd = 1
    names = [b"d%d" % number for number in range(CROWD)]
    effects = monitor.subscribe(Subscription(1, 1, b"/t", Scope.TREE), 0.0)
    explore = next(effect for effect in effects if isinstance(effect, Scan))
    for effect in monitor.listed([(explore, names, (), ())], 0.0):
        if isinstance(effect, Scan):
            monitor.unwatchable(Watch(effect.node), errno.ENOSPC, 0.0)
    return monitor


def tried(monitor: Monitor, second: float) -> list[Node]:
    effects = monitor.due(second)
    return [e.node for e in effects if isinstance(e, Watch) and e.node.kernel_mask]


def test_what_has_no_room_is_polled(monitor: Monitor) -> None:
    assert len(monitor.coverage.over_quota) == CROWD
    assert all(
        node.poll_mask and not node.kernel_mask for node in monitor.coverage.over_quota
    )


def test_one_is_tried_after_a_while_and_more_as_long_as_it_goes_well(
    monitor: Monitor,
) -> None:
    assert monitor.deadline() == RETRY_SECONDS
    numbers = []
    second = 0.0
    while monitor.coverage.over_quota:
        second += RETRY_SECONDS
        numbers.append(len(tried(monitor, second)))
    assert numbers == [1, 2, 4, 1]  # the last one was left
    assert monitor.deadline() is None


def test_one_that_still_has_no_room_is_polled_on_and_the_pace_is_kept(
    monitor: Monitor,
) -> None:
    for round_ in (1, 2, 3):
        (node,) = tried(monitor, round_ * RETRY_SECONDS)
        monitor.unwatchable(Watch(node), errno.ENOSPC, round_ * RETRY_SECONDS)
        assert node.poll_mask
        assert not node.kernel_mask
    assert len(monitor.coverage.over_quota) == CROWD


def test_one_line_says_it_for_all(monitor: Monitor) -> None:
    (node,) = tried(monitor, RETRY_SECONDS)
    effects = monitor.unwatchable(Watch(node), errno.ENOSPC, RETRY_SECONDS)
    assert not any(
        isinstance(e, Trace) and e.what is TraceKind.NO_ROOM for e in effects
    )


def test_nor_does_a_try_for_the_last_of_them_say_it_again(monitor: Monitor) -> None:
    second = 0.0
    while len(monitor.coverage.over_quota) > 1:
        second += RETRY_SECONDS
        tried(monitor, second)
    for _ in range(3):
        second += RETRY_SECONDS
        (node,) = tried(monitor, second)
        effects = monitor.unwatchable(Watch(node), errno.ENOSPC, second)
        assert not any(isinstance(e, Trace) for e in effects)
