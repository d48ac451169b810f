"""How `awatch` waits under trio."""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from gamin.client.driver import Call
from gamin.client.thread_call import ThreadCall


class TrioLibrary:
    async def wait(
        self,
        descriptor: int,
        seconds: float | None,
        stop: Callable[[], Awaitable[Any]] | None,
    ) -> bool:
        limit = float("inf") if seconds is None else seconds
        with trio.move_on_after(limit) as scope:
            if stop is None:
                await trio.lowlevel.wait_readable(descriptor)
            else:
                await _readable_or_stopped(descriptor, stop)
        return not scope.cancelled_caught

    async def call(self, call: Call) -> Any:
        calling = ThreadCall(call)
        try:
            return await trio.to_thread.run_sync(calling.run, abandon_on_cancel=True)
        except trio.Cancelled:
            calling.abandon()
            raise

    async def checkpoint(self) -> None:
        await trio.lowlevel.checkpoint()


async def _readable_or_stopped(
    descriptor: int, stop: Callable[[], Awaitable[Any]]
) -> None:
    async with trio.open_nursery() as nursery:

        async def end_when_stopped() -> None:
            await stop()
            nursery.cancel_scope.cancel()

        nursery.start_soon(end_when_stopped)
        await trio.lowlevel.wait_readable(descriptor)
        nursery.cancel_scope.cancel()
