"""Work that takes turns: one slice in an iteration of the loop."""

from collections import deque
from typing import Protocol, TypeVar

from gamin.daemon.io.loop import Loop

FREED_AT_ONCE = 4_096
"""Items of a `LongList` that are freed before others get their turn: 1 ms, or 2 ms for
rows with the status of their files."""

T = TypeVar("T")


class Work(Protocol):
    def take_turn(self) -> bool:
        """Do a slice; return whether more is left."""


class Turns:
    """Gives one after another a slice, one in an iteration of the loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._waiting: deque[Work] = deque()

    def add(self, work: Work) -> None:
        self._waiting.append(work)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        work = self._waiting[0]
        is_left = False
        try:
            is_left = work.take_turn()
        finally:
            self._waiting.popleft()
            if is_left:
                self._waiting.append(work)
            if self._waiting:
                self._loop.call_soon(self._take_turn)


class LongList(list[T]):
    """A list whose items are freed in slices once nobody needs it, however that comes:
    200,000 rows take 0.1 s."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def __del__(self) -> None:
        if len(self) > FREED_AT_ONCE:
            self._turns.add(self)  # and so it lives on

    def take_turn(self) -> bool:
        del self[-FREED_AT_ONCE:]
        return bool(self)
