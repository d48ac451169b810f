"""The figures of `gamin status` and the dump of the debug file."""

import pytest

from gamin.backends.base import Usage
from gamin.config.flow_settings import FlowSettings
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.process import status
from testkit.descriptors import no_free_descriptor
from testkit.doubles.engine import plain_policy


@pytest.fixture
def monitor() -> Monitor:
    return Monitor(plain_policy(), FlowSettings())


@pytest.mark.parametrize(
    ("facilities", "name"),
    [
        ([], "polling"),
        ([("inotify", 1, 9)], "inotify"),
        ([("fanotify", 1, 9)], "fanotify"),
        ([("inotify", 9, 9), ("fanotify", 1, 9)], "inotify"),
    ],
)
def test_the_watcher_is_named_after_the_facilities_that_are_open(
    facilities: list[tuple[str, int, int]], name: str
) -> None:
    assert status.watcher_name([Usage(*each) for each in facilities]) == name


def test_the_limits_are_those_of_before_while_no_descriptor_is_left() -> None:
    limits = status.Limits()
    before = dict(limits.read())
    assert min(before.values()) > 0
    with no_free_descriptor():
        assert limits.read() == before


def test_a_monitor_without_subscriptions_watches_nothing(monitor: Monitor) -> None:
    assert set(status.watches(monitor, set()).values()) == {0}
    assert set(status.polled_for(monitor).values()) == {0}
    assert status.busy_paths(monitor) == []
    assert status.recoveries(monitor) == {
        "overflows": 0,
        "rescans": 0,
        "rescanning": False,
    }


def test_a_subscription_to_a_missing_path_is_counted_and_dumped(
    monitor: Monitor,
) -> None:
    subscription = Subscription(7, 3, b"/a\nb", Scope.FILE, directory_events_only=True)
    monitor.subscribe(subscription, 0.0)
    assert status.watches(monitor, {7})["missing"] == 1
    assert status.watches(monitor, {8})["missing"] == 0, "that of the server itself"
    text = status.dump(monitor, ["7: pid 12"])
    assert "  7: pid 12\n" in text
    assert "  7:3 file /a\\nb -> missing\n" in text
