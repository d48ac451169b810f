"""Watches with `gamin.watch` and prints what it receives."""

import gamin
from bench.peers.reporting import CHANGED, CREATED, DELETED, LOST, MOVED, Reporter

KINDS = {
    gamin.Kind.EXISTS: CREATED,
    gamin.Kind.CREATED: CREATED,
    gamin.Kind.CHANGED: CHANGED,
    gamin.Kind.DELETED: DELETED,
    gamin.Kind.MOVED: MOVED,
}


def main() -> None:
    reporter = Reporter()
    with gamin.watch(
        reporter.root, recursive=not reporter.flat, initial=False
    ) as batches:
        reporter.ready()
        for batch in batches:
            if batch[0].recovered or batch[-1].recovered:
                reporter.report(LOST, reporter.root)
            for event in batch:
                reporter.report(KINDS[event.kind], event.path, event.dest or "")


if __name__ == "__main__":
    main()
