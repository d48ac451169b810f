"""Measures what one change costs a server: makes changes, and awaits their report.

The curves decide which changes are made, and which clients receive them.
"""

import os
from collections.abc import Callable, Sequence

import gamin
from bench.growth.server import Server
from gamin.client.blocking import Client

PATIENCE = 60.0  # seconds; only what is broken takes so long
ROUNDS = 5

Receive = Callable[[set[bytes]], None]
"""Returns when all clients have received changes of all these names."""
Change = Callable[[int], bytes]
"""Makes the change of that number, and returns the name that will be reported."""


def receive_all(watches: Sequence[gamin.Watch]) -> Receive:
    """Wait by base name. Raises WatchTimeout for a watch that has a time-out."""

    def receive(names: set[bytes]) -> None:
        for watch in watches:
            left = set(names)
            while left:
                for event in next(watch):
                    left.discard(os.path.basename(os.fsencode(event.path)))

    return receive


def receive_gam(client: Client) -> Receive:
    """Wait by base name. Raises TimeoutError."""

    def receive(names: set[bytes]) -> None:
        left = set(names)
        while left:
            event = client.next_event(PATIENCE)
            if event is None:
                raise TimeoutError(f"{len(left)} changes were not reported")
            left.discard(os.path.basename(event.path))

    return receive


def turns_of(directory: bytes, count: int) -> tuple[Change, Change]:
    """Two changes: create a file for each number, and delete it again.

    They use mknod, which causes a single event of the kernel.
    """

    def make(number: int) -> bytes:
        name = b"change-%d" % (number % count)
        os.mknod(directory + b"/" + name)
        return name

    def unmake(number: int) -> bytes:
        name = b"change-%d" % (number % count)
        os.unlink(directory + b"/" + name)
        return name

    return make, unmake


def cost_alone(
    server: Server, receive: Receive, changes: Sequence[Change], count: int
) -> float:
    """Seconds of CPU of the server for a change that comes alone, waking it up."""
    return _cheapest(server, receive, changes, count, at_once=1)


def cost_in_a_burst(
    server: Server, receive: Receive, changes: Sequence[Change], count: int
) -> float:
    """Seconds of CPU of the server for one of `count` changes at full speed."""
    return _cheapest(server, receive, changes, count, at_once=count)


def _cheapest(
    server: Server,
    receive: Receive,
    changes: Sequence[Change],
    count: int,
    at_once: int,
) -> float:
    """The cheapest of several rounds: other processes only add to the cost."""
    costs = []
    for _ in range(ROUNDS):
        before = server.cpu()
        for change in changes:
            for start in range(0, count, at_once):
                receive({change(number) for number in range(start, start + at_once)})
        costs.append((server.cpu() - before) / (count * len(changes)))
    return min(costs)
