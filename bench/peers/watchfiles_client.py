"""Watches with `watchfiles.watch` and tells what it is told."""

import os
import sys

from watchfiles import Change, watch

from bench.peers.telling import CHANGED, CREATED, DELETED, Teller

TUNED = {"debounce": 1, "step": 1}


def main() -> None:
    teller = Teller()
    options = TUNED if "--tuned" in sys.argv else {}
    teller.ready()  # to begin with: it watches from the first step of the loop on
    for batch in watch(teller.root, recursive=not teller.flat, **options):
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
