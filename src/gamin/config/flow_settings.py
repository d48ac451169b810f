"""The numbers of flow control, and what they may be set to.

What is done with them is `core.flow`'s affair; how a file spells them, `gaminrc`'s.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FlowSettings(NamedTuple):
    """When a resource is too busy for the kernel, and when it is welcome back."""

    reports_per_second: int = 4
    """So many reports about one path within a second make it busy: gamin 0.1.10
    switches to polling at the fourth."""
    churn_per_second: int = 6
    """So often within a second a young entry of a directory goes right after one came,
    and the directory is busy. Chosen by us so that an editor's way of saving (a test
    file, a backup, a swap file: three of these) passes twice a second at once, and 35
    creations and removals a second give at most 13 events."""
    calm_seconds: float = 5.0
    """Quiet for longer than this ends it: gamin 0.1.10 waits for more than five quiet
    looks, one a second."""
    report_interval: float = 1.0
    """Seconds between two reports about a busy path; the security document of gamin
    promises "events only once per second"."""
    raw_events_per_second: int = 200
    """More kernel events than this about a busy resource within a second, and it is
    polled until it is calm. Our own number: far above what an editor or a build does
    to one file or directory for long, far below what keeps a core busy."""

    def replaced(self, values: Mapping[str, float]) -> "FlowSettings":
        """The same with some fields set; `values` must be within `LIMITS`."""
        changes: dict[str, Any] = {
            name: int(value) if LIMITS[name].whole else value
            for name, value in values.items()
        }
        return self._replace(**changes)


class Limits(NamedTuple):
    """What one setting may be, both ends included."""

    least: float
    most: float
    whole: bool


# A tenth of a second is the finest step at which polling is still polite. A large
# value switches the protection off in practice, which is the reader's to decide.
LIMITS: Mapping[str, Limits] = {
    "reports_per_second": Limits(1, 1_000_000, whole=True),
    "churn_per_second": Limits(1, 1_000_000, whole=True),
    "calm_seconds": Limits(0.1, 86_400, whole=False),
    "report_interval": Limits(0.1, 86_400, whole=False),
    "raw_events_per_second": Limits(1, 1_000_000, whole=True),
}
