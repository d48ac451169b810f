"""What happens to the server, its clients and the disk while programs act.

Each is a context manager for one round; at its end nothing of it is left but what the
programs did, so that everything has to become right.
"""

import json
import os
import random
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from gamin.client.connect import connect_watchman
from gamin.system.peercred import peer_of
from soak.follower import Follower
from testkit.actions.mounts import mount, unmount
from testkit.fuse import bindfs

MAX_STOP_SECONDS = 2.0
MAX_MOUNTED = 3
"""File systems on one point at the most, each of which hides the one before."""
SPARE_DESCRIPTORS = 3
"""Descriptors that the server may still open at the most, at the edge."""
SPARE_MEMORY = 4 << 20
"""Bytes that the server may still map at the most, at the edge."""
GREEDY_REQUESTS = 300
"""Queries for everything that a greedy client sends without reading an answer."""


class Disturbance(Enum):
    NONE = "nothing else happens"
    HOLD_UP = "some clients do not read"
    LEAVE = "some clients leave and come back with their clocks"
    STOP = "the server is stopped"
    KILL = "the server is killed"
    MOUNT = "file systems are mounted and unmounted"
    DESCRIPTORS = "the server may open hardly any file"
    MEMORY = "the server gets hardly any memory"
    GREEDY = "a client asks a lot and reads nothing"
    STUCK = "a mounted file system does not answer"


MAY_COMPLAIN = frozenset(
    {Disturbance.DESCRIPTORS, Disturbance.MEMORY, Disturbance.GREEDY, Disturbance.STUCK}
)
"""Of these the server has to say something in its log."""


def server_pid() -> int:
    """The process that serves the session."""
    with connect_watchman(start=False) as connected:
        return peer_of(connected).pid


@contextmanager
def held_up(some: Sequence[Follower]) -> Iterator[None]:
    """These do not read."""
    for follower in some:
        follower.reads.clear()
    try:
        yield
    finally:
        for follower in some:
            follower.reads.set()


@contextmanager
def stopped() -> Iterator[None]:
    """The server does not run."""
    pid = server_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def hardly_any_descriptor(chance: random.Random) -> Iterator[None]:
    """The server may open so many files that it soon cannot."""
    pid = server_pid()
    highest = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    most = highest + 1 + chance.randint(0, SPARE_DESCRIPTORS)
    with _limited(pid, resource.RLIMIT_NOFILE, most):
        yield


@contextmanager
def hardly_any_memory(chance: random.Random) -> Iterator[None]:
    """The server may map so little that it soon cannot."""
    pid = server_pid()
    size = (
        int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    )
    with _limited(pid, resource.RLIMIT_AS, size + chance.randint(0, SPARE_MEMORY)):
        yield


@contextmanager
def _limited(pid: int, what: int, most: int) -> Iterator[None]:
    soft, hard = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # without memory it ends
            resource.prlimit(pid, what, (soft, hard))


@contextmanager
def mounting(points: Sequence[Path], chance: random.Random) -> Iterator[None]:
    """File systems come and go on these directories; some stay."""
    mounted = dict.fromkeys(points, 0)
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = Path(line.split(" ")[4])
        if point in mounted:
            mounted[point] += 1

    def act() -> None:
        point = chance.choice(points)
        is_more = chance.random() < 0.5
        if is_more and mounted[point] < MAX_MOUNTED:
            mount(point)
            mounted[point] += 1
        elif mounted[point] > 0:
            with suppress(OSError):  # a program is in it
                unmount(point)
                mounted[point] -= 1

    with _meanwhile(act, chance):
        yield


@contextmanager
def _meanwhile(act: Callable[[], None], chance: random.Random) -> Iterator[None]:
    """Act again and again, in a thread."""
    is_over = threading.Event()

    def run() -> None:
        act()
        while not is_over.wait(chance.uniform(0, 0.1)):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def greedy(root: Path) -> Iterator[None]:
    """A client asks for everything again and again, and does not read."""
    request = ["query", str(root), {"fields": ["name", "size", "mtime_ns", "type"]}]
    line = json.dumps(request).encode() + b"\n"
    with connect_watchman() as connected:
        connected.setblocking(False)
        with suppress(BlockingIOError, ConnectionError):
            for _ in range(GREEDY_REQUESTS):
                connected.send(line, socket.MSG_NOSIGNAL)
        yield


@contextmanager
def stuck(folder: Path) -> Iterator[None]:
    """A file system is mounted in the folder whose server does not run."""
    folder.mkdir(exist_ok=True)
    with bindfs(folder, "soak") as mounted:
        mounted.stop()
        try:
            yield
        finally:
            mounted.go_on()
