"""Watches with `gamin.watch` and tells what it is told."""

import gamin
from bench.peers.telling import CHANGED, CREATED, DELETED, LOST, MOVED, Teller

TOLD = {
    gamin.Kind.EXISTS: CREATED,
    gamin.Kind.CREATED: CREATED,
    gamin.Kind.CHANGED: CHANGED,
    gamin.Kind.DELETED: DELETED,
    gamin.Kind.MOVED: MOVED,
}


def main() -> None:
    teller = Teller()
    with gamin.watch(teller.root, recursive=not teller.flat, initial=False) as batches:
        teller.ready()
        for batch in batches:
            if batch[0].recovered or batch[-1].recovered:
                teller.tell(LOST, teller.root)
            for event in batch:
                teller.tell(TOLD[event.kind], event.path, event.dest or "")


if __name__ == "__main__":
    main()
