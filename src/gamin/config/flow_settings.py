"""The settings of flow control and their limits.

`core.throttle.flow_control` applies them; `gaminrc` defines how a file spells them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FlowSettings(NamedTuple):
    """When a path becomes busy, how it is reported then, and when that ends."""

    reports_per_second: int = 4
    """Reports about one path within a second that make it busy. gamin 0.1.10 switches
    to polling at the fourth."""

    churn_per_second: int = 6
    """Short-lived entries within a second that make their directory busy: entries that
    are deleted right after a creation. Our own number: an editor that saves with a test
    file, a backup and a swap file may do so twice a second without a delay, and 35
    creations and deletions a second give at most 13 events."""

    calm_seconds: float = 5.0
    """Seconds without a change after which a path is no longer busy. gamin 0.1.10 waits
    for more than five quiet polls, one a second."""

    report_interval: float = 1.0
    """Seconds between two reports about a busy path. The security document of gamin
    promises "events only once per second"."""

    raw_events_per_second: int = 200
    """Kernel events about a busy path within a second above which it is polled until it
    is calm. Our own number: far above what an editor or a build does to one file for
    long, far below what keeps a core busy."""

    def replaced(self, values: Mapping[str, float]) -> "FlowSettings":
        """A copy with some fields set. `values` must be within `LIMITS`."""
        changes: dict[str, Any] = {
            name: int(value) if LIMITS[name].whole else value
            for name, value in values.items()
        }
        return self._replace(**changes)


class Limits(NamedTuple):
    """The range of one setting, both ends included."""

    least: float
    most: float
    whole: bool


LIMITS: Mapping[str, Limits] = {
    "reports_per_second": Limits(1, 1_000_000, whole=True),
    "churn_per_second": Limits(1, 1_000_000, whole=True),
    "calm_seconds": Limits(0.1, 86_400, whole=False),
    "report_interval": Limits(0.1, 86_400, whole=False),
    "raw_events_per_second": Limits(1, 1_000_000, whole=True),
}
"""What a file may set. Polling more often than every tenth of a second would burden the
machine; a large value switches a protection off, which is the user's decision."""
