"""Long work takes turns, and so does what it leaves behind."""

import itertools
import weakref

from gamin.daemon.io.loop import Loop
from gamin.daemon.io.turns import FREED_AT_ONCE, LongList, Turns


class Work:
    def __init__(self, log: list[str], name: str, slices: int) -> None:
        self._log = log
        self._name = name
        self._left = itertools.repeat(True, slices - 1)

    def take_turn(self) -> bool:
        self._log.append(self._name)
        return next(self._left, False)


def test_several_pieces_of_work_take_turns() -> None:
    loop, log = Loop(), list[str]()
    turns = Turns(loop)
    turns.add(Work(log, "a", 3))
    turns.add(Work(log, "b", 2))
    for count in range(1, 6):
        loop.run_once(0)
        assert len(log) == count
    loop.close()
    assert log == ["a", "b", "a", "b", "a"]


def test_one_that_fails_does_not_keep_the_others_from_their_turn() -> None:
    class Broken(Work):
        def take_turn(self) -> bool:
            raise ZeroDivisionError

    loop, log = Loop(), list[str]()
    turns = Turns(loop)
    turns.add(Broken(log, "a", 3))
    turns.add(Work(log, "b", 1))
    loop.run_once(0)
    loop.run_once(0)
    loop.close()
    assert log == ["b"]


class Item:
    """Something that is freed."""


def test_a_long_list_is_freed_in_slices() -> None:
    loop = Loop()
    items = LongList[Item](Turns(loop))
    items += [Item() for _ in range(3 * FREED_AT_ONCE)]
    alive = weakref.WeakSet(items)
    del items
    for left in (3, 2, 1, 0):
        assert len(alive) == left * FREED_AT_ONCE
        loop.run_once(0)
    loop.close()


def test_a_short_list_is_freed_at_once() -> None:
    loop = Loop()
    items = LongList[Item](Turns(loop))
    items += [Item() for _ in range(FREED_AT_ONCE)]
    alive = weakref.WeakSet(items)
    del items
    assert not alive
    loop.close()
