"""Measures what each kernel backend costs alone: to set up, and to read.

    python -m bench.backend_cost [DIRECTORIES]

Prints, for inotify and for fanotify, the time and memory of a watch on each of so many
directories (20,000), and the time to drain what a storm left in the queue, for each
change in it. fanotify has one event for several changes where it merges
them, and probes what is in doubt afterwards; both count.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

from gamin.backends.base import KernelBackend
from gamin.backends.fanotify import FanotifyBackend
from gamin.backends.inotify import InotifyBackend
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)

FULL = (
    CREATE | DELETE | MOVED_FROM | MOVED_TO | MODIFY | CLOSE_WRITE | ATTRIB
)  # what the core watches a listed directory for
FILES = 4_000
"""Changes per storm: few enough that four events of each fit into the queue."""
ROUNDS = 7
KINDS: tuple[type[KernelBackend], ...] = (InotifyBackend, FanotifyBackend)


class Directory:
    """A node that is never renamed."""

    __slots__ = ("_path", "wd")

    def __init__(self, path: bytes) -> None:
        self.wd = -1
        self._path = path

    def path(self) -> bytes:
        return self._path


def name(number: int) -> str:
    return f"file-{number:06}"


def create(place: str, round_: int) -> None:
    for number in range(FILES):
        os.close(os.open(f"{place}/{round_}-{name(number)}", os.O_CREAT | os.O_WRONLY))


def save(place: str, round_: int) -> None:
    """Save as editors and package managers do: write another file, rename it over."""
    for number in range(FILES):
        new = f"{place}/{round_}-{name(number)}.new"
        os.close(os.open(new, os.O_CREAT | os.O_WRONLY))
        os.rename(new, f"{place}/{name(number)}")


def modify_each(place: str, round_: int) -> None:
    for number in range(FILES):
        with open(f"{place}/{name(number)}", "a") as file:
            file.write("x")


def modify_in_turns(place: str, round_: int) -> None:
    files = [
        os.open(f"{place}/{name(number)}", os.O_CREAT | os.O_WRONLY)
        for number in range(10)
    ]
    for number in range(FILES):
        os.write(files[number % 10], b"x")
    for file in files:
        os.close(file)


def rename(place: str, round_: int) -> None:
    kinds = (".new", "") if round_ % 2 else ("", ".new")
    for number in range(FILES):
        path = f"{place}/{name(number)}"
        os.rename(path + kinds[0], path + kinds[1])


def rename_to_and_fro(place: str, round_: int) -> None:
    path = f"{place}/{name(0)}"
    for _ in range(FILES // 2):
        os.rename(path, path + ".new")
        os.rename(path + ".new", path)


def make_and_remove(place: str, round_: int) -> None:
    for number in range(FILES):
        path = f"{place}/{round_}-{name(number)}"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)


STORMS: tuple[tuple[str, Callable[[str, int], None]], ...] = (
    ("files created", create),
    ("files written, one by one", modify_each),
    ("writes to ten files in turn", modify_in_turns),
    ("files renamed", rename),
    ("one file renamed to and fro", rename_to_and_fro),
    ("files saved by renaming", save),
    ("files made and removed", make_and_remove),
)


def drain_all(backend: KernelBackend) -> int:
    """Drain everything; return the number of changes."""
    count = 0
    while True:
        changes = backend.drain()
        count += len(changes)
        if not changes and not backend.has_pending:
            return count


def storm(
    kind: type[KernelBackend], happens: Callable[[str, int], None]
) -> tuple[float, float]:
    """Nanoseconds, and changes returned, for each change made."""
    spent, counts = [], []
    with tempfile.TemporaryDirectory() as place:
        for number in range(FILES):
            os.mknod(f"{place}/{name(number)}")
        backend = kind()
        backend.watch(Directory(os.fsencode(place)), FULL)
        for round_ in range(ROUNDS):
            happens(place, round_)
            before = time.thread_time_ns()
            counts.append(drain_all(backend))
            spent.append(time.thread_time_ns() - before)
        backend.close()
    return statistics.median(spent) / FILES, statistics.median(counts) / FILES


def set_up(
    kind: type[KernelBackend], nodes: list[Directory]
) -> tuple[float, float, float]:
    """Microseconds to watch and to unwatch a directory, with its bytes in between."""
    backend = kind()
    memory = resident()
    before = time.perf_counter_ns()
    for node in nodes:
        backend.watch(node, FULL)
    watching = time.perf_counter_ns() - before
    memory = resident() - memory
    before = time.perf_counter_ns()
    for node in nodes:
        backend.unwatch(node)
    unwatching = time.perf_counter_ns() - before
    backend.close()
    count = len(nodes)
    return watching / count / 1e3, memory / count, unwatching / count / 1e3


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 20_000
    with tempfile.TemporaryDirectory() as place:
        paths = [os.fsencode(f"{place}/{number:05}") for number in range(count)]
        for path in paths:
            os.mkdir(path)
        nodes = [Directory(path) for path in paths]
        for kind in (*KINDS, *KINDS):  # the first half warms up
            watching, memory, unwatching = set_up(kind, nodes)
            print(
                f"{kind.__name__:15} {count} directories: "
                f"{watching:.1f} µs to watch one, "
                f"{memory:.0f} bytes, {unwatching:.1f} µs to unwatch it"
            )
    for what, happens in STORMS:
        for kind in KINDS:
            spent, changes = storm(kind, happens)
            print(
                f"{kind.__name__:15} {what}: {spent:.0f} ns each, {changes:.2f} changes"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
