"""Waiting under trio for a descriptor, a time or a stop, whichever comes first."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gamin.client.driver import Call
from testkit.waiting import eventually

if TYPE_CHECKING:
    import trio
else:  # whoever has an older environment misses these tests alone
    trio = pytest.importorskip("trio")

from gamin.client.trio_library import TrioLibrary

LIBRARY = TrioLibrary()
LONG = 30.0
"""Seconds that nothing waits for."""


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def test_a_readable_descriptor_ends_the_wait() -> None:
    async def test() -> None:
        with trio.fail_after(2 * LONG), pipe() as (reader, writer):
            os.write(writer, b"x")
            assert await LIBRARY.wait(reader, None, None)
            assert await LIBRARY.wait(reader, LONG, None)
            assert await LIBRARY.wait(reader, LONG, trio.Event().wait)

    trio.run(test)


def test_a_wait_that_lasts_too_long_returns_false() -> None:
    async def test() -> None:
        with trio.fail_after(LONG), pipe() as (reader, _):
            assert not await LIBRARY.wait(reader, 0.001, None)
            assert not await LIBRARY.wait(reader, 0.001, trio.Event().wait)

    trio.run(test)


def test_a_stop_ends_the_wait() -> None:
    async def test() -> None:
        event = trio.Event()
        event.set()
        with trio.fail_after(2 * LONG), pipe() as (reader, _):
            assert await LIBRARY.wait(reader, LONG, event.wait)

    trio.run(test)


def test_a_wait_that_is_cancelled_from_outside_stays_cancelled() -> None:
    async def test() -> None:
        with trio.fail_after(LONG), pipe() as (reader, _):
            with trio.move_on_after(0.001) as scope:
                await LIBRARY.wait(reader, None, None)
            assert scope.cancelled_caught

    trio.run(test)


def test_the_result_of_a_call_is_passed_on() -> None:
    async def test() -> None:
        assert await LIBRARY.call(Call(lambda: 7, None)) == 7

    trio.run(test)


def test_the_result_of_a_call_that_nobody_waits_for_is_discarded() -> None:
    started, end = threading.Event(), threading.Event()
    discarded: list[object] = []

    def slow() -> str:
        started.set()
        end.wait(LONG)
        return "result"

    async def test() -> None:
        with trio.fail_after(2 * LONG):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(LIBRARY.call, Call(slow, discarded.append))
                await trio.to_thread.run_sync(started.wait, LONG)
                nursery.cancel_scope.cancel()
        end.set()

    trio.run(test)
    eventually(lambda: discarded == ["result"])


def test_a_checkpoint_lets_others_run_and_can_be_cancelled() -> None:
    async def test() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await LIBRARY.checkpoint()
            raise AssertionError("it was no checkpoint")

    trio.run(test)
