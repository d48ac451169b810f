"""Watches in Watchman's language, in JSON lines, and prints what it receives."""

import json

from bench.peers.reporting import CHANGED, CREATED, DELETED, Reporter
from gamin.client.connect import connect_watchman


def main() -> None:
    reporter = Reporter()
    with connect_watchman(start=False) as connected, connected.makefile("rb") as lines:

        def ask(*request: object) -> None:
            connected.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(lines.readline())
            assert "error" not in reply, reply

        ask("watch", reporter.root)
        query = {"fields": ["name", "exists", "new"], "initial": False, "settle": 0}
        ask("subscribe", reporter.root, "bench", query)
        reporter.ready()
        for line in lines:
            for row in json.loads(line).get("files", ()):
                kind = DELETED if not row["exists"] else CHANGED
                kind = CREATED if row["new"] and row["exists"] else kind
                reporter.report(kind, f"{reporter.root}/{row['name']}")


if __name__ == "__main__":
    main()
