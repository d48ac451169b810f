"""Watches with `watchfiles.watch` and prints what it receives."""

import os
import sys

from watchfiles import Change, watch

from bench.peers.reporting import CHANGED, CREATED, DELETED, Reporter

DEFAULT = {"debounce": 1_600, "step": 50}
"""Milliseconds; the library's own defaults."""
TUNED = {"debounce": 1, "step": 1}


def main() -> None:
    reporter = Reporter()
    options = TUNED if "--tuned" in sys.argv else DEFAULT
    reporter.ready()  # to begin with: it watches from the first step of the loop on
    recursive = not reporter.flat
    for batch in watch(
        reporter.root,
        recursive=recursive,
        debounce=options["debounce"],
        step=options["step"],
    ):
        for change, path in batch:
            report(reporter, batch, change, path)


def report(
    reporter: Reporter, batch: set[tuple[Change, str]], change: Change, path: str
) -> None:
    """A batch has no order: a path that was both created and removed must be probed."""
    if change == Change.modified:
        reporter.report(CHANGED, path)
        return
    there = change == Change.added
    if (Change.deleted if there else Change.added, path) in batch:
        if not there:
            return  # its other half speaks for both
        there = os.path.lexists(path)
    reporter.report(CREATED if there else DELETED, path)


if __name__ == "__main__":
    main()
