"""Watches one directory with the blocking libgamin client and prints its events."""

import os

from bench.peers.reporting import CHANGED, CREATED, DELETED, Reporter
from gamin.client.blocking import Client
from gamin.protocol.gam.packets import EventCode

KINDS: dict[int, str] = {
    EventCode.EXISTS: CREATED,
    EventCode.CREATED: CREATED,
    EventCode.CHANGED: CHANGED,
    EventCode.DELETED: DELETED,
}


def main() -> None:
    reporter = Reporter()
    with Client() as client:
        client.watch_directory(reporter.root)
        for event in client:
            if event.code == EventCode.END_EXIST:
                break
        reporter.ready()
        for event in client:
            path = os.path.join(reporter.root, os.fsdecode(event.path))
            reporter.report(KINDS[event.code], path)


if __name__ == "__main__":
    main()
