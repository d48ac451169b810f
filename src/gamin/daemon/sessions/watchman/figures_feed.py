"""Pushes the figures of `gamin-status` to the clients that asked for them.

A timer for each such client, so a server that nobody watches does nothing for this. A
push does not synchronise: it says what is known, and a busy server is not made busier.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gamin.daemon.io.loop import Loop, Timer
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.codec import Codec

INTERVAL_PER_COST = 100
"""The interval is at least so many times as long as taking the figures took: counting
the watches of a large tree takes time, and this keeps it below one percent."""

MAX_INTERVAL = 10.0
"""Seconds: figures may have taken long once because the machine was busy."""


class Listener(Protocol):
    """A client, as far as the feed needs it."""

    @property
    def codec(self) -> Codec: ...

    @property
    def is_blocked(self) -> bool: ...

    def send(self, data: bytes) -> None: ...

    def flush(self) -> None: ...


class FiguresFeed:
    def __init__(
        self,
        loop: Loop,
        figures: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._loop = loop
        self._figures = figures
        self._timers: dict[Listener, Timer] = {}

    def set_interval(self, client: Listener, seconds: float) -> None:
        """From now on the client gets the figures at once and then every so many
        seconds; 0 for never."""
        timer = self._timers.pop(client, None)
        if timer is not None:
            timer.cancel()
        if seconds:
            self._schedule(client, seconds, 0.0)

    def _schedule(self, client: Listener, interval: float, wait: float) -> None:
        def push() -> None:
            began = time.thread_time()
            if not client.is_blocked:  # otherwise it gets those of a later time
                client.send(client.codec.encode(replies.figures(self._figures())))
                client.flush()
            if client in self._timers:  # it may have turned out that it has left
                wait = next_interval(interval, time.thread_time() - began)
                self._schedule(client, interval, wait)

        self._timers[client] = self._loop.call_later(wait, push)


def next_interval(interval: float, cost: float) -> float:
    """Seconds until the next push, after one that took so much processor time."""
    return max(interval, min(MAX_INTERVAL, INTERVAL_PER_COST * cost))
