"""Two servers in this process, one after the other, and clients of libgamin's language
that lose the first one and come back to the second, as libgamin comes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gamin.protocol.gam.packets import EventCode
from testkit.daemon import packet
from testkit.sessions import START, GamPeer, Home, home

FILE, DIRECTORY, CANCEL = 1, 2, 3
NO_EXISTS = 16

Received = tuple[int, str, str]
"""The number of a request, the name of the event, and what it is about."""


class Servers:
    """`state`: where they remember their clients; None: nowhere."""

    def __init__(self, state: Path | None) -> None:
        self._state = b"" if state is None else bytes(state)
        self._count = 0

    @contextmanager
    def next(self, *, is_killed: bool = False) -> Iterator[Home]:
        """A server. If it `is_killed`, nothing is saved at its end."""
        self._count += 1
        with home(START + self._count, self._state) as served:
            yield served
            memory = served.service.gam_memory
            if memory is not None and not is_killed:
                memory.save()


def request(kind: int, number: int, path: Path, *, again: bool = False) -> bytes:
    """A request; `again`: as libgamin repeats it."""
    return packet(number, kind + (NO_EXISTS if again else 0), path)


def listed(peer: GamPeer, *requests: bytes) -> GamPeer:
    """The peer, after it made requests and has their listings."""
    peer.send(b"".join(requests))

    def ends() -> bool:
        codes = [code for _, code, _ in peer.received()]
        return codes.count(int(EventCode.END_EXIST)) == len(requests)

    peer.home.run_until(ends, what="the listings")
    peer.events.clear()
    return peer


def events_until(
    peer: GamPeer, until: Callable[[list[Received]], object]
) -> list[Received]:
    """What the peer receives until the condition holds."""

    def so_far() -> list[Received]:
        return [
            (number, EventCode(code).name, path.decode())
            for number, code, path in peer.received()
        ]

    peer.home.run_until(lambda: until(so_far()), what="events")
    found = so_far()
    peer.events.clear()
    return found


def back(served: Home, live: Path, *requests: bytes) -> list[Received]:
    """What a client receives that comes back with these requests, up to `live`, which
    is made when everything is watched and is in a directory of the last request."""
    peer = served.gam()
    peer.send(b"".join(requests))
    count = len(requests)

    def is_ready() -> bool:
        sessions = served.monitor.subscriptions
        cursors = peer.session._outbox._cursors
        return len(sessions) == count and len(cursors) == count

    served.run_until(is_ready, what="everything watched")
    live.touch()
    return events_until(peer, lambda so_far: so_far and so_far[-1][2] == live.name)[:-1]
