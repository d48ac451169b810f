"""Directories over quota are tried again, a few at a time."""

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
    """A monitor that watches a tree of which all is over quota, at second 0."""
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


def test_directories_over_quota_are_polled(monitor: Monitor) -> None:
    assert len(monitor.coverage.registers.over_quota) == CROWD
    assert all(
        node.poll_mask and not node.kernel_mask
        for node in monitor.coverage.registers.over_quota
    )


def test_one_directory_is_tried_first_and_more_while_that_succeeds(
    monitor: Monitor,
) -> None:
    assert monitor.deadline() == RETRY_SECONDS
    numbers = []
    second = 0.0
    while monitor.coverage.registers.over_quota:
        second += RETRY_SECONDS
        numbers.append(len(tried(monitor, second)))
    assert numbers == [1, 2, 4, 1]  # the last one was left
    assert monitor.deadline() is None


def test_a_failed_try_leaves_the_directory_polled_and_keeps_the_pace(
    monitor: Monitor,
) -> None:
    for round_ in (1, 2, 3):
        (node,) = tried(monitor, round_ * RETRY_SECONDS)
        monitor.unwatchable(Watch(node), errno.ENOSPC, round_ * RETRY_SECONDS)
        assert node.poll_mask
        assert not node.kernel_mask
    assert len(monitor.coverage.registers.over_quota) == CROWD


def test_a_failed_try_makes_no_second_trace(monitor: Monitor) -> None:
    (node,) = tried(monitor, RETRY_SECONDS)
    effects = monitor.unwatchable(Watch(node), errno.ENOSPC, RETRY_SECONDS)
    assert not any(
        isinstance(e, Trace) and e.what is TraceKind.NO_ROOM for e in effects
    )


def test_a_failed_try_of_the_last_directory_makes_no_second_trace(
    monitor: Monitor,
) -> None:
    second = 0.0
    while len(monitor.coverage.registers.over_quota) > 1:
        second += RETRY_SECONDS
        tried(monitor, second)
    for _ in range(3):
        second += RETRY_SECONDS
        (node,) = tried(monitor, second)
        effects = monitor.unwatchable(Watch(node), errno.ENOSPC, second)
        assert not any(isinstance(e, Trace) for e in effects)
