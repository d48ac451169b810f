"""Watches with `watchfiles.watch` and tells what it is told."""

import os
import sys

from watchfiles import Change, watch

from bench.peers.telling import CHANGED, CREATED, DELETED, Teller

DEFAULT = {"debounce": 1_600, "step": 50}
"""Milliseconds; the library's own defaults."""
TUNED = {"debounce": 1, "step": 1}


def main() -> None:
    teller = Teller()
    options = TUNED if "--tuned" in sys.argv else DEFAULT
    teller.ready()  # to begin with: it watches from the first step of the loop on
    recursive = not teller.flat
    for batch in watch(
        teller.root,
        recursive=recursive,
        debounce=options["debounce"],
        step=options["step"],
    ):
        for change, path in batch:
            tell(teller, batch, change, path)


def tell(
    teller: Teller, batch: set[tuple[Change, str]], change: Change, path: str
) -> None:
    """A batch has no order: what was both made and removed has to be looked at."""
    if change == Change.modified:
        teller.tell(CHANGED, path)
        return
    there = change == Change.added
    if (Change.deleted if there else Change.added, path) in batch:
        if not there:
            return  # its other half speaks for both
        there = os.path.lexists(path)
    teller.tell(CREATED if there else DELETED, path)


if __name__ == "__main__":
    main()
