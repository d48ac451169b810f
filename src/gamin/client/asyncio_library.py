"""How `awatch` waits under asyncio, on whatever event loop runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gamin.client.driver import Call
from gamin.client.thread_call import ThreadCall


class AsyncioLibrary:
    async def wait(
        self,
        descriptor: int,
        seconds: float | None,
        stop: Callable[[], Awaitable[Any]] | None,
    ) -> bool:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()

        def awake(_: object = None) -> None:
            if not waiter.done():
                waiter.set_result(True)

        loop.add_reader(descriptor, awake)
        stopping = None
        if stop is not None:
            stopping = asyncio.ensure_future(stop())
            stopping.add_done_callback(awake)
        try:
            if seconds is None:
                return await waiter
            async with asyncio.timeout(seconds):
                return await waiter
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(descriptor)
            if stopping is not None:
                stopping.cancel()

    async def call(self, call: Call) -> Any:
        calling = ThreadCall(call)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(None, calling.run)
        except asyncio.CancelledError:
            calling.abandon()
            raise

    async def checkpoint(self) -> None:
        pass
