"""What `gamin doctor` makes of the limits and of who uses them up."""

import errno
import os

import pytest

from gamin.cli import check_limits
from gamin.cli.finding import Level
from gamin.system import inotify, libc
from gamin.system.inotify_usage import Holder

ONE = [Holder(7, "editor", 3, 900)]
"""A process with 3 instances and 900 watches."""


@pytest.mark.parametrize(
    ("limit", "level"), [(1001, Level.OK), (1000, Level.PROBLEM), (1, Level.PROBLEM)]
)
def test_nine_tenths_of_the_watches_are_a_problem(limit: int, level: Level) -> None:
    finding = check_limits.check_watches(ONE, limit)
    assert finding.level is level
    assert finding.what == f"900 of {limit} used by your processes"


@pytest.mark.parametrize(("limit", "level"), [(4, Level.OK), (3, Level.PROBLEM)])
def test_the_instances_are_judged_in_the_same_way(limit: int, level: Level) -> None:
    assert check_limits.check_instances(ONE, limit).level is level


def test_the_remedy_at_least_doubles_a_limit_and_survives_a_restart() -> None:
    remedy = check_limits.check_watches(ONE, 1_000_000 // 1000).remedy
    assert "fs.inotify.max_user_watches=524288" in remedy
    large = [Holder(7, "editor", 1, 600_000)]
    assert "=1200000 " in check_limits.check_watches(large, 600_000).remedy
    assert "/etc/sysctl.d/60-max-user-watches.conf" in remedy


def test_a_granted_watch_is_in_order() -> None:
    assert check_limits.check_quota([], 10, lambda: 0).level is Level.OK


def test_a_refusal_although_the_visible_watches_leave_room_is_explained() -> None:
    finding = check_limits.check_quota(ONE, 10_000, lambda: errno.ENOSPC)
    assert finding.level is Level.PROBLEM
    assert "hold only 900 of 10000" in finding.what
    assert "containers" in finding.why


@pytest.mark.parametrize(
    ("failure", "limit"), [(errno.ENOSPC, 900), (errno.EMFILE, 10_000)]
)
def test_any_other_refusal_points_at_who_holds_the_watches(
    failure: int, limit: int
) -> None:
    finding = check_limits.check_quota(ONE, limit, lambda: failure)
    assert finding.level is Level.PROBLEM
    assert finding.why == "your processes hold 3 instances and 900 watches"


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> int:
    """The descriptor that stands for an inotify instance of the probe."""
    descriptor = os.open("/", os.O_RDONLY | os.O_CLOEXEC)
    monkeypatch.setattr(inotify, "open_instance", lambda: descriptor)
    return descriptor


@pytest.mark.parametrize("failure", [0, errno.ENOSPC])
def test_the_probe_asks_for_one_watch_and_gives_its_instance_back(
    instance: int, failure: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def add_watch(descriptor: int, path: bytes, mask: int) -> int:
        os.fstat(descriptor)
        asked.append((descriptor, path, mask))
        if failure:
            raise OSError(failure, os.strerror(failure))
        return 1

    monkeypatch.setattr(libc, "inotify_add_watch", add_watch)
    assert check_limits.probe() == failure
    assert asked == [(instance, b"/", 0x0400)]  # IN_DELETE_SELF
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(instance)


def test_the_probe_says_that_no_instance_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(inotify, "open_instance", refuse)
    assert check_limits.probe() == errno.EMFILE


def test_only_limits_of_small_machines_are_noted() -> None:
    ample = check_limits.LOW_WATCHES, check_limits.LOW_QUEUE
    assert list(check_limits.check_limits(*ample)) == []
    small = list(check_limits.check_limits(ample[0] - 1, ample[1] - 1))
    assert [finding.level for finding in small] == [Level.NOTE, Level.NOTE]
    assert "max_user_watches is 65535" in small[0].what
    assert "max_queued_events is 16383" in small[1].what
