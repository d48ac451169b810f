"""The measurements: a function for each quantity that may grow, and a point of its
curve for each size.

`load` makes a change and awaits its report; which sizes, and what the columns
mean, in `curves`. A function is for one process, with a server of its own.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import gamin
from bench import measure
from bench.build import generate
from bench.growth.load import (
    PATIENCE,
    Change,
    cost_alone,
    cost_in_a_burst,
    receive_all,
    receive_gam,
    turns_of,
)
from bench.growth.server import Server, running_server
from gamin.client.blocking import Client
from gamin.protocol.gam.packets import EventCode

Point = dict[str, float]

FILES_EACH = 2
ALONE, BURST = 100, 1_000
FEW_ALONE, FEW_BURST = 20, 100  # where each is reported to many
SHARED_TREE = (1_000, 10_000)  # directories and files watched by all clients
REMEMBERED_EACH = 10  # files for each directory
NAMED_TREE = 10_000  # directories, with more and more files in each


def directories(place: Path, size: int) -> Point:
    return _tree(place, size, FILES_EACH * size)


def names(place: Path, size: int) -> Point:
    return _tree(place, NAMED_TREE, NAMED_TREE * size)


def _tree(place: Path, directories: int, files: int) -> Point:
    root = _made(place, directories, files)
    with running_server(place) as server:
        before = _State.now(server)
        with gamin.watch(root, timeout=PATIENCE) as watch:
            grown = _State.now(server) - before
            make, unmake = turns_of(bytes(root / "changing"), BURST)
            costs = _costs(server, receive_all([watch]), (make, unmake), ALONE, BURST)
    return {
        "setup": grown.clock,
        "setup_cpu": grown.cpu,
        "server_memory": grown.server,
        "client_memory": grown.client,
        "kernel_memory": grown.kernel,
    } | costs


def clients(place: Path, size: int) -> Point:
    root = _made(place, *SHARED_TREE)
    with running_server(place) as server, ExitStack() as stack:
        watches = [stack.enter_context(gamin.watch(root, timeout=PATIENCE))]
        before = _State.now(server)
        for _ in range(1, size):
            watches.append(stack.enter_context(gamin.watch(root, timeout=PATIENCE)))
        grown = _State.now(server) - before
        turns = turns_of(bytes(root / "changing"), FEW_BURST)
        costs = _costs(server, receive_all(watches), turns, FEW_ALONE, FEW_BURST)
    each = {"alone_each": costs["alone"] / size, "burst_each": costs["burst"] / size}
    if size == 1:
        return costs | each
    more = size - 1
    return {
        "setup_each": grown.clock / more,
        "server_memory_each": grown.server / more,
        **costs,
        **each,
    }


def remembered(place: Path, size: int) -> Point:
    """What a successor of the server says of a tree in which nothing changed."""
    root = _made(place, max(1, size // REMEMBERED_EACH), size)
    with running_server(place) as server:
        before = server.memory()
        events, clock = gamin.changes(root, since=None)
        watched = server.memory() - before
        assert sum(not event.is_dir for event in events) >= size
        del events
    stored = sum(file.stat().st_size for file in place.rglob("state/gamin/*"))
    (place / "other").mkdir()
    with running_server(place) as server:
        gamin.changes(place / "other", since=None)
        resident, cpu, began = server.resident(), server.cpu(), time.perf_counter()
        changed, _ = gamin.changes(root, since=clock)
        took, cpu = time.perf_counter() - began, server.cpu() - cpu
        loading = server.peak() - resident
    assert not changed, "nothing happened"
    walk, walk_cpu = _walked(root)
    return {
        "answer": took,
        "answer_cpu": cpu,
        "walk": walk,
        "walk_cpu": walk_cpu,
        "each": cpu / size,
        "store": stored / size,
        "server_memory": watched,
        "loading_memory": loading,
    }


def _walked(root: Path) -> tuple[float, float]:
    """Seconds of a C program that reads all directories and the status of all entries,
    by the clock and of CPU."""
    before, began = os.times(), time.perf_counter()
    generate("walk", root)
    seconds, after = time.perf_counter() - began, os.times()
    before_cpu = before.children_user + before.children_system
    return seconds, after.children_user + after.children_system - before_cpu


def entries(place: Path, size: int) -> Point:
    box = place / "box"
    box.mkdir()
    for number in range(size):
        os.mknod(box / f"file-{number:06}")
    with running_server(place) as server, Client() as client:
        before = _State.now(server)
        client.watch_directory(box)
        _receive_end_of(client, 1)
        grown = _State.now(server) - before
        turns = turns_of(bytes(box), BURST)
        costs = _costs(server, receive_gam(client), turns, ALONE, BURST)
    return {
        "setup": grown.clock,
        "setup_cpu": grown.cpu,
        "server_memory": grown.server,
    } | costs


def subscriptions(place: Path, size: int) -> Point:
    files = list(_files(place, size))

    spread = max(1, size // BURST)

    def unmake(number: int) -> bytes:
        path = files[number * spread % size]
        os.unlink(path)
        return os.path.basename(path)

    def make(number: int) -> bytes:
        path = files[number * spread % size]
        os.mknod(path)
        return os.path.basename(path)

    with running_server(place) as server, Client() as client:
        before = _State.now(server)
        for path in files:
            client.watch_file(path)
        _receive_end_of(client, size)
        grown = _State.now(server) - before
        turns, alone, burst = (unmake, make), min(size, ALONE), min(size, BURST)
        costs = _costs(server, receive_gam(client), turns, alone, burst)
    return {
        "setup": grown.clock,
        "setup_cpu": grown.cpu,
        "server_memory": grown.server,
    } | costs


@dataclass(frozen=True, slots=True)
class _State:
    """Totals at one moment; the difference of two is the use between them."""

    clock: float
    cpu: float
    server: int
    client: int
    kernel: int

    @classmethod
    def now(cls, server: Server) -> "_State":
        return cls(
            time.perf_counter(),
            server.cpu(),
            server.memory(),
            measure.memory(os.getpid()),
            measure.kernel_memory(),
        )

    def __sub__(self, before: "_State") -> "_State":
        return _State(
            self.clock - before.clock,
            self.cpu - before.cpu,
            self.server - before.server,
            self.client - before.client,
            self.kernel - before.kernel,
        )


def _costs(
    server: Server,
    receive: Callable[[set[bytes]], None],
    changes: tuple[Change, ...],
    alone: int,
    burst: int,
) -> Point:
    return {
        "alone": cost_alone(server, receive, changes, alone),
        "burst": cost_in_a_burst(server, receive, changes, burst),
    }


def _made(place: Path, directories: int, files: int) -> Path:
    root = place / "root"
    (root / "changing").mkdir(parents=True)
    generate("tree", root, directories, files)
    return root


def _files(place: Path, count: int) -> Iterator[bytes]:
    """In one directory, which is where many would cost most."""
    box = place / "box"
    box.mkdir()
    for number in range(count):
        path = bytes(box / f"file-{number:06}")
        os.mknod(path)
        yield path


def _receive_end_of(client: Client, listings: int) -> None:
    while listings:
        event = client.next_event(PATIENCE)
        if event is None:
            raise TimeoutError(f"{listings} listings did not end")
        listings -= event.code == EventCode.END_EXIST
