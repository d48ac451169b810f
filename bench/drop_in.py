"""watchfiles and watchdog over the service, beside their own engines.

    python -m bench.drop_in [PART...]

`start`: CPU time of an interpreter that watches nothing, with and without what
`gamin exec` sets. `schedule`: 300 watches of one observer. `tree`: three watchers of a
large tree, and a walk of it. `stopped`: files that are created while a program is
stopped. What is compared takes turns, so that a busy machine slows both down.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from gamin.cli.exec import SITE
from gamin.compat.engine import Engine
from gamin.compat.watchfiles import DefaultFilter
from testkit.compat_peers import WatchdogPeer
from testkit.server_state import status
from testkit.stopped_readers import OWN_READERS, READERS, count_while_stopped
from testkit.watches import kill_server, serving

STARTS = 30
"""Interpreters of each kind that are started."""
ROUNDS = 5
"""Observers of each kind that are made."""
WATCHES = 300
"""Calls of `schedule` on each."""
PACKAGES, PARTS = 303, 29
"""Directories of the large tree in its `node_modules`, and below each of these."""
SOURCES = 208
"""Other directories of the large tree, which has 9,300."""
CREATIONS = 20_600
"""Files that are created while a program is stopped: more than a queue takes."""
WALK_SECONDS = 10.0
"""Seconds after a walk in which the CPU time of the server is taken."""

OBSERVER = """
import json, os, sys, time
from watchdog.events import FileSystemEventHandler
from {module} import Observer
root, server = sys.argv[1], int(sys.argv[2])
def of_server():
    tasks = os.listdir(f"/proc/{{server}}/task")
    files = [f"/proc/{{server}}/task/{{task}}/schedstat" for task in tasks]
    return sum(int(open(file).read().split()[0]) for file in files) / 1e9
observer, handler = Observer(), FileSystemEventHandler()
descriptors = len(os.listdir("/proc/self/fd"))
observer.start()
served, used, began = of_server(), time.process_time(), time.monotonic()
for name in os.listdir(root):
    observer.schedule(handler, os.path.join(root, name), recursive=True)
print(json.dumps({{
    "ms": (time.monotonic() - began) * 1e3,
    "cpu": (time.process_time() - used) * 1e3,
    "server": (of_server() - served) * 1e3,
    "descriptors": len(os.listdir("/proc/self/fd")) - descriptors,
}}))
observer.stop()
observer.join()
"""


def start() -> None:
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ours = {**plain, "PYTHONPATH": SITE, "GAMIN_REPLACE": "watchfiles,watchdog,hupper"}
    found: dict[str, list[float]] = {"plain": [], "gamin exec": []}
    for _ in range(STARTS):
        for environ, times in zip((plain, ours), found.values(), strict=True):
            times.append(cpu_of_start(environ))
    for name, times in found.items():
        least, median = min(times) * 1e3, statistics.median(times) * 1e3
        print(f"start {name:11} {median:6.2f} ms of CPU, at least {least:.2f}")


def cpu_of_start(environ: dict[str, str]) -> float:
    process = subprocess.Popen([sys.executable, "-c", "pass"], env=environ)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


def schedule() -> None:
    modules = {"its own": "watchdog.observers", "gamin": "gamin.compat.watchdog"}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in modules}
    with tempfile.TemporaryDirectory() as top, watching(top):
        for number in range(WATCHES):
            Path(top, f"d{number}").mkdir()
        for _ in range(ROUNDS):
            for name, module in modules.items():
                code = OBSERVER.format(module=module)
                words = [sys.executable, "-c", code, top, str(status().pid)]
                found[name].append(json.loads(subprocess.check_output(words)))
    for name, runs in found.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        fastest = min(run["ms"] for run in runs)
        print(
            f"schedule {name:8} {middle['ms']:5.0f} ms (fastest {fastest:.0f}), "
            f"CPU {middle['cpu']:.0f} ms here, {middle['server']:.0f} in the server, "
            f"{middle['descriptors']:.0f} descriptors"
        )


def watching(path: str) -> Engine:
    """Has a server run."""
    return Engine([path])


def tree() -> None:
    with tempfile.TemporaryDirectory() as top:
        for package in range(PACKAGES):
            for part in range(PARTS):
                os.makedirs(f"{top}/node_modules/p{package}/{part}")
        for source in range(SOURCES):
            os.mkdir(f"{top}/s{source}")
        folders = 2 + PACKAGES * (PARTS + 1) + SOURCES
        with Engine([top], ignore=DefaultFilter.ignore_dirs):
            kernel = status().watches.kernel
            print(f"tree {folders} directories, DefaultFilter: {kernel} kernel watches")
        peer = WatchdogPeer(top)
        with Engine([top]) as first, Engine([top]):
            kernel = status().watches.kernel
            print(f"tree {folders} directories, 3 watchers: {kernel} kernel watches")
            walk(top, first)
        peer.close()


def walk(top: str, engine: Engine) -> None:
    """Walk the tree; then a file is created."""
    server = status().pid
    used = cpu_of(server)
    began = time.monotonic()
    for _ in os.walk(top):
        pass
    made = time.monotonic()
    Path(top, "s0", "new").touch()
    assert engine.watch(1, 1, 20_000, None) != "timeout"
    reported = time.monotonic()
    time.sleep(max(0.0, began + WALK_SECONDS - reported))
    share = (cpu_of(server) - used) / WALK_SECONDS * 100
    print(
        f"tree walked: {status().recoveries.overflows} overflows, {share:.2f} % CPU, "
        f"a new file reported after {(reported - made) * 1e3:.0f} ms"
    )


def cpu_of(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def stopped() -> None:
    for name in READERS:
        for engine, code in ("its own", OWN_READERS[name]), ("gamin", READERS[name]):
            print_missing(name, engine, code)
        print_missing(name, "gamin", READERS[name], kill_server)


def print_missing(
    name: str, engine: str, code: str, half_way: Callable[[], object] | None = None
) -> None:
    with (
        serving(f"drop-in-{uuid.uuid4()}"),
        tempfile.TemporaryDirectory() as top,
    ):
        seen = count_while_stopped(
            code, Path(top), CREATIONS, half_way=half_way or (lambda: None)
        )
    killed = ", server killed" if half_way else ""
    print(f"stopped {name} {engine}{killed}: {CREATIONS - seen} missing")


PARTS_OF_RUN = {"start": start, "schedule": schedule, "tree": tree, "stopped": stopped}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.drop_in")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=", ".join(PARTS_OF_RUN)
    )
    args = parser.parse_args()
    with serving(f"drop-in-{uuid.uuid4()}"):
        for part in args.parts or PARTS_OF_RUN:
            PARTS_OF_RUN[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
