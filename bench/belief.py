"""What a client believes after the events it received, and how wrong that is.

Pure: `bench.peers` knows how each watcher prints its events.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from testkit.beliefs.belief import Belief


class ReportKind(Enum):
    """What one line of a watcher says. The values are those of `bench/c/report.h`."""

    CREATED = b"+"  # or is there
    DELETED = b"-"  # with everything below it
    CHANGED = b"~"
    MOVED = b">"
    LOST = b"!"  # something may have been missed
    RESET = b"="  # forget everything; a full listing follows


class Report(NamedTuple):
    kind: ReportKind
    path: bytes = b""
    """Relative to the root; empty for the root itself."""
    dest: bytes = b""


class Wrong(NamedTuple):
    missing: int
    """Paths that are there, but the client does not know."""
    stale: int
    """Paths that the client believes in, but are gone."""


def believed(start: Iterable[bytes], reports: Iterable[Report]) -> set[bytes]:
    """The paths a client believes in that knew `start` and took each report in turn.

    Other watchers do not promise to be consistent, so contradictions do not count, and
    what is in a directory implies the directory.
    """
    belief = Belief()
    for path in start:
        belief.created(path)
    for report in reports:
        match report.kind:
            case ReportKind.CREATED:
                if not belief.knows(report.path):
                    belief.created(report.path)
            case ReportKind.DELETED:
                belief.deleted(report.path, is_belated=True)
            case ReportKind.MOVED:
                belief.moved(report.path, report.dest)
            case ReportKind.RESET:
                belief.clear()
            case ReportKind.CHANGED | ReportKind.LOST:
                pass
    return set(belief.entries(is_implied=True)) - {b""}


def compare(client: set[bytes], disk: set[bytes]) -> Wrong:
    return Wrong(missing=len(disk - client), stale=len(client - disk))
