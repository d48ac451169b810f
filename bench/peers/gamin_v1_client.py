"""Watches one directory with the blocking client of v1 and tells what it is told."""

import os

from bench.peers.telling import CHANGED, CREATED, DELETED, Teller
from gamin.client.blocking import Client
from gamin.protocol.gam.packets import EventCode

TOLD: dict[int, str] = {
    EventCode.EXISTS: CREATED,
    EventCode.CREATED: CREATED,
    EventCode.CHANGED: CHANGED,
    EventCode.DELETED: DELETED,
}


def main() -> None:
    teller = Teller()
    with Client() as client:
        client.watch_directory(teller.root)
        for event in client:
            if event.code == EventCode.END_EXIST:
                break
        teller.ready()
        for event in client:
            path = os.path.join(teller.root, os.fsdecode(event.path))
            teller.tell(TOLD[event.code], path)


if __name__ == "__main__":
    main()
