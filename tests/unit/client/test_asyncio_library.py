"""Waiting under asyncio for a descriptor, a time or a stop, whichever comes first."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gamin.client.asyncio_library import AsyncioLibrary
from gamin.client.driver import Call
from testkit.waiting import eventually

LIBRARY = AsyncioLibrary()
LONG = 30.0
"""Seconds that nothing waits for."""


@asynccontextmanager
async def pipe() -> AsyncIterator[tuple[int, int]]:
    """A pipe; the loop watches none of its ends afterwards."""
    reader, writer = os.pipe()
    try:
        yield reader, writer
        assert not asyncio.get_running_loop().remove_reader(reader)
    finally:
        os.close(reader)
        os.close(writer)


def run(test: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(2 * LONG):
            await test
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(limited())


def test_a_readable_descriptor_ends_the_wait() -> None:
    async def test() -> None:
        async with pipe() as (reader, writer):
            os.write(writer, b"x")
            assert await LIBRARY.wait(reader, None, None)
            assert await LIBRARY.wait(reader, LONG, None)

    run(test())


def test_a_wait_that_lasts_too_long_returns_false() -> None:
    async def test() -> None:
        async with pipe() as (reader, _):
            assert not await LIBRARY.wait(reader, 0.001, None)

    run(test())


def test_a_stop_ends_the_wait_and_the_waiter_of_the_stop_ends_too() -> None:
    async def test() -> None:
        event = asyncio.Event()
        async with pipe() as (reader, writer):
            event.set()
            assert await LIBRARY.wait(reader, LONG, event.wait)
            event.clear()
            os.write(writer, b"x")
            assert await LIBRARY.wait(reader, LONG, event.wait)
            await asyncio.sleep(0)  # the waiter of the stop is cancelled

    run(test())


def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    async def test() -> None:
        async with pipe() as (reader, _):
            waiting = asyncio.ensure_future(LIBRARY.wait(reader, None, None))
            await asyncio.sleep(0)  # it waits
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    run(test())


def test_the_result_and_the_error_of_a_call_are_passed_on() -> None:
    def fail() -> None:
        raise ValueError("broken")

    async def test() -> None:
        assert await LIBRARY.call(Call(lambda: 7, None)) == 7
        with pytest.raises(ValueError, match="broken"):
            await LIBRARY.call(Call(fail, None))

    run(test())


def test_the_result_of_a_call_that_nobody_waits_for_is_discarded() -> None:
    started, end = threading.Event(), threading.Event()
    discarded: list[object] = []

    def slow() -> str:
        started.set()
        end.wait(LONG)
        return "result"

    async def test() -> None:
        call = asyncio.ensure_future(LIBRARY.call(Call(slow, discarded.append)))
        await asyncio.to_thread(started.wait, LONG)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        end.set()

    run(test())
    eventually(lambda: discarded == ["result"])
