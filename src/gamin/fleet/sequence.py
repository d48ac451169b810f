"""The order of one tree's messages, kept over lost connections.

A publisher sends several messages before the first acknowledgement. If one of them is
lost or refused and the next one is stored, a later repetition would come in the wrong
order. So each connection begins an *epoch*, whose messages count from 0, and a
publisher that failed repeats everything that was not acknowledged in a new epoch. A
follower takes the messages of the latest epoch as long as none is missing, and ignores
what comes after a gap: it is repeated.
"""

import uuid
from typing import NamedTuple


class Number(NamedTuple):
    epoch: str
    sequence: int
    """The position in the epoch, from 0."""
    previous: str = ""
    """The epoch that this one replaces; empty for the first of a publisher."""


class Numbering:
    """The publisher's side."""

    def __init__(self) -> None:
        self._epoch = ""
        self._previous = ""
        self._next = 0
        self.start_epoch()

    def start_epoch(self) -> None:
        """What is sent from now on may repeat what was sent before."""
        self._previous, self._epoch = self._epoch, uuid.uuid4().hex[:16]
        self._next = 0

    def next(self) -> Number:
        number = Number(self._epoch, self._next, self._previous)
        self._next += 1
        return number


class Gate:
    """The follower's side, for one tree."""

    def __init__(self) -> None:
        self._last: Number | None = None
        self._replaced: set[str] = set()
        """Epochs of which nothing is taken any more: a server may still have messages
        of a connection that the publisher has given up."""

    def admits(self, number: Number) -> bool:
        """Whether the message is the next one of its tree."""
        last = self._last
        if last is None:  # a follower may begin anywhere
            self._replaced = {number.previous}
        elif number.epoch == last.epoch:
            if number.sequence != last.sequence + 1:
                return False
        elif number.sequence != 0 or number.epoch in self._replaced:
            return False
        else:
            self._replaced = {last.epoch, number.previous}
        self._last = number
        return True
