"""Asks once what changed below ROOT since CLOCK ("-": everything there is).

Prints a JSON object: the seconds that took, of CPU too, the clock of now, and the rows.
"""

import json
import sys
import time

import gamin


def main(root: str, clock: str) -> None:
    started, used = time.monotonic(), time.process_time()
    events, now = gamin.changes(root, since=None if clock == "-" else clock)
    seconds, used = time.monotonic() - started, time.process_time() - used
    rows = [[event.kind, event.path, event.recovered] for event in events]
    print(json.dumps({"seconds": seconds, "cpu": used, "clock": now, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
