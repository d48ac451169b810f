"""`gamin.awatch` under trio, and under anyio on both of its backends."""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gamin
from testkit.watches import SOON, created, kill_server

if TYPE_CHECKING:
    import anyio
    import trio
else:  # whoever has an older environment misses these tests alone
    anyio = pytest.importorskip("anyio")
    trio = pytest.importorskip("trio")


@pytest.mark.usefixtures("server")
def test_trio_gets_what_happens_and_nothing_stays_open(tmp_path: Path) -> None:
    async def test() -> None:
        await trio.to_thread.run_sync(int)  # trio keeps the thread
        before = os.listdir("/proc/self/fd")
        with trio.fail_after(SOON):
            async with gamin.awatch(tmp_path) as watch:
                (tmp_path / "file").touch()
                assert await anext(watch) == [created(tmp_path / "file")]
                assert await watch.next(0) is None
                assert await watch.next(0.01) is None
        assert os.listdir("/proc/self/fd") == before

    trio.run(test)


@pytest.mark.usefixtures("own_server")
def test_trio_goes_on_with_another_server(tmp_path: Path) -> None:
    async def test() -> None:
        with trio.fail_after(SOON):
            async with gamin.awatch(tmp_path) as watch:
                kill_server()
                (tmp_path / "file").touch()
                batch = await anext(watch)
                assert batch == [created(tmp_path / "file", recovered=True)]

    trio.run(test)


@pytest.mark.usefixtures("server")
def test_a_wait_that_trio_cancels_loses_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        paths = [tmp_path / str(number) for number in range(10)]
        with trio.fail_after(SOON):
            async with gamin.awatch(tmp_path) as watch:
                got: list[gamin.Event] = []
                for path in paths:
                    path.touch()
                    with trio.move_on_after(0):
                        got += await anext(watch)
                while len(got) < len(paths):
                    got += await anext(watch)
                assert got == [created(path) for path in paths]

    trio.run(test)


@pytest.mark.usefixtures("server")
def test_an_event_of_trio_ends_the_iteration(tmp_path: Path) -> None:
    async def test() -> None:
        stop = trio.Event()

        async def end_it() -> None:
            await trio.testing.wait_all_tasks_blocked()
            stop.set()

        with trio.fail_after(SOON):
            async with (
                gamin.awatch(tmp_path, stop_event=stop) as watch,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(end_it)
                assert [batch async for batch in watch] == []
                assert watch.closed

    trio.run(test)


@pytest.mark.usefixtures("server")
def test_an_event_of_threads_ends_the_iteration_under_trio(tmp_path: Path) -> None:
    async def test() -> None:
        stop = threading.Event()
        timer = threading.Timer(0.05, stop.set)
        with trio.fail_after(SOON):
            async with gamin.awatch(tmp_path, stop_event=stop) as watch:
                timer.start()
                assert [batch async for batch in watch] == []
        timer.join()

    trio.run(test)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_gets_what_happens_on_both_backends(tmp_path: Path, backend: str) -> None:
    async def test() -> None:
        stop = anyio.Event()
        with anyio.fail_after(SOON):
            async with gamin.awatch(tmp_path, stop_event=stop) as watch:
                (tmp_path / "file").touch()
                async for batch in watch:
                    assert batch == [created(tmp_path / "file")]
                    stop.set()
                assert watch.closed

    anyio.run(test, backend=backend)


def test_outside_of_an_event_loop_there_is_a_clear_error(tmp_path: Path) -> None:
    opening = gamin.awatch(tmp_path).__aenter__()
    with pytest.raises(RuntimeError, match="no running event loop"):
        opening.send(None)
