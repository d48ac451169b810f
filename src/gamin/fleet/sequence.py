"""The order of one tree's messages, kept over lost connections.

A publisher sends several messages before the first acknowledgement. If one of them is
lost or refused and the next one is stored, a later repetition would come in the wrong
order. So each connection begins an *epoch*, whose messages count from 0, and a
publisher that failed repeats everything that was not acknowledged in a new epoch. A
follower takes the messages of the latest epoch as long as none is missing, and ignores
what comes after a gap: it is repeated, or if not, the follower says what it missed.
"""

import uuid
from enum import Enum, auto
from typing import NamedTuple

REPEATED_SECONDS = 60.0
"""Within this time a publisher repeats what was lost: it waits 10 seconds for an
acknowledgement, and at most 20 until it is connected again."""


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


class Verdict(Enum):
    """What a follower does with a message."""

    NEXT = auto()
    """It follows what was taken before."""
    REFUSED = auto()
    """It is a repetition, or comes after a gap and is repeated by the publisher."""
    MISSED = auto()
    """It is the next one that there is: what came before it is not repeated."""


class Gate:
    """The follower's side, for one tree.

    There are two kinds of gaps. After a message that was lost on its way, the publisher
    begins a new epoch as soon as it misses the acknowledgement. A message that was
    stored, and dropped by the stream since, is never repeated. The time
    distinguishes them.
    """

    def __init__(self) -> None:
        self._last: Number | None = None
        self._replaced: set[str] = set()
        """Epochs of which nothing is taken any more: a server may still have messages
        of a connection that the publisher has given up."""
        self.gap_began: float | None = None
        """When the first message after a gap was stored; None where there is none."""

    def check(self, number: Number, stored: float) -> Verdict:
        """Judge the next message of the stream. `stored` is when it was stored, in
        seconds by the clock of the stream."""
        last, verdict = self._last, Verdict.NEXT
        if last is None:  # a follower may begin anywhere
            self._replaced = {number.previous}
        else:
            is_same = number.epoch == last.epoch
            is_repetition = is_same and number.sequence <= last.sequence
            if is_repetition or number.epoch in self._replaced:
                return Verdict.REFUSED
            if number.sequence != (last.sequence + 1 if is_same else 0):
                if self.gap_began is None:
                    self.gap_began = stored
                if stored < self.gap_began + REPEATED_SECONDS:
                    return Verdict.REFUSED
                verdict = Verdict.MISSED
            if not is_same:
                self._replaced = {last.epoch, number.previous}
        self._last, self.gap_began = number, None
        return verdict

    def give_up(self) -> None:
        """What is missing does not come: take the next message, whatever it is."""
        self._last, self.gap_began = None, None
