"""`gamin.awatch` and a real server, on both event loops."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import uvloop

import gamin
from gamin import AsyncWatch
from gamin.client.arguments import make_session
from gamin.client.connect import connect_watchman
from gamin.protocol.watchman.client.watched_path import WatchOptions
from testkit.waiting import eventually
from testkit.watches import (
    SOON,
    aged,
    auntil,
    changed,
    created,
    deleted,
    exists,
    kill_server,
    moved,
)

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(
    params=[
        pytest.param(asyncio.new_event_loop, id="asyncio"),
        pytest.param(uvloop.new_event_loop, id="uvloop"),
    ]
)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine, after which no task and no descriptor may be left."""

    async def checked(test: Coroutine[Any, Any, None]) -> None:
        await asyncio.to_thread(int)  # the thread of the loop's executor stays
        before = os.listdir("/proc/self/fd")
        async with asyncio.timeout(6 * SOON):
            await test
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert os.listdir("/proc/self/fd") == before

    with asyncio.Runner(loop_factory=request.param, debug=True) as runner:
        yield lambda test: runner.run(checked(test))


@pytest.mark.usefixtures("server")
def test_changes_are_reported(run: Run, tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"

    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            file.touch()
            assert await anext(watch) == [created(file)]
            file.write_text("text")
            assert await anext(watch) == [changed(file)]
            file.unlink()
            assert await anext(watch) == [deleted(file)]
            folder.mkdir()
            assert await anext(watch) == [created(folder, is_dir=True)]
            folder.rename(file)
            assert await anext(watch) == [moved(folder, file, is_dir=True)]

    run(test())


@pytest.mark.usefixtures("server")
def test_entering_means_that_everything_is_watched(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            assert watch.clock is not None
            (tmp_path / "file").touch()
        async with gamin.awatch(tmp_path, since=watch.clock) as watch:
            assert await anext(watch) == [created(tmp_path / "file")]

    run(test())


@pytest.mark.usefixtures("server")
def test_options_mean_what_they_mean_to_watch(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/deep").touch()

    async def test() -> None:
        watch = gamin.awatch(tmp_path, initial=True, recursive=False, ignore="*.o")
        async with watch:
            assert await anext(watch) == [exists(tmp_path / "folder", is_dir=True)]
            (tmp_path / "a.o").touch()
            (tmp_path / "a.c").touch()
            assert await anext(watch) == [created(tmp_path / "a.c")]

    run(test())


@pytest.mark.usefixtures("server")
def test_silence_is_an_error_when_it_lasts(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        async with gamin.awatch(tmp_path, timeout=0.05) as watch:
            with pytest.raises(gamin.WatchTimeout):
                await anext(watch)
            (tmp_path / "file").touch()
            batch = None
            while batch is None:  # a busy machine may take longer than the time-out
                with suppress(gamin.WatchTimeout):
                    batch = await anext(watch)
            assert batch == [created(tmp_path / "file")]

    run(test())


@pytest.mark.usefixtures("own_server")
def test_a_server_is_killed_and_nothing_is_missed(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("kept", "changed", "gone")]
    for file in files:
        file.touch()
    aged(*files)

    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            kill_server()
            (tmp_path / "new").touch()
            (tmp_path / "changed").write_text("text")
            (tmp_path / "gone").unlink()
            assert await anext(watch) == [
                deleted(tmp_path / "gone", recovered=True),
                created(tmp_path / "new", recovered=True),
                changed(tmp_path / "changed", recovered=True),
            ]
            (tmp_path / "new").unlink()
            assert await anext(watch) == [deleted(tmp_path / "new")]

    run(test())


@pytest.mark.usefixtures("server")
def test_a_wait_that_is_cancelled_loses_nothing(run: Run, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(20)]

    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            reported: list[gamin.Event] = []
            for path in paths:
                path.touch()
                waiting = asyncio.ensure_future(anext(watch))
                await asyncio.sleep(0)  # it begins, and is cancelled wherever it is
                waiting.cancel()
                try:
                    reported += await waiting
                except asyncio.CancelledError:
                    continue
            if created(paths[-1]) not in reported:
                reported += await auntil(watch, created(paths[-1]))
            assert reported == [created(path) for path in paths]

    run(test())


@pytest.mark.usefixtures("server")
def test_a_task_that_is_cancelled_leaves_nothing(run: Run, tmp_path: Path) -> None:
    async def follow(entered: asyncio.Event) -> None:
        async with gamin.awatch(tmp_path, stop_event=asyncio.Event()) as watch:
            entered.set()
            async for _ in watch:
                pass

    async def test() -> None:
        entered = asyncio.Event()
        following = asyncio.create_task(follow(entered))
        await entered.wait()
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following

    run(test())


@pytest.mark.usefixtures("server")
def test_a_connection_that_nobody_waits_for_any_more_is_closed(
    run: Run, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[socket] = []

    def connect() -> socket:
        begun.set()
        go_on.wait(SOON)
        made.append(connect_watchman())
        return made[0]

    async def test() -> None:
        watching = make_session([tmp_path], WatchOptions(), None)
        opening = asyncio.ensure_future(anext(AsyncWatch(watching, connect=connect)))
        await asyncio.to_thread(begun.wait, SOON)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        go_on.set()
        await asyncio.to_thread(
            eventually, lambda: made and made[0].fileno() == -1, what="closed again"
        )

    run(test())


@pytest.mark.usefixtures("server")
def test_closing_ends_the_iteration(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            asyncio.get_running_loop().call_soon(watch.close)
            assert [batch async for batch in watch] == []
            watch.close()
            assert [batch async for batch in watch] == []
            assert repr(watch) == "<AsyncWatch of gamin, closed>"

    run(test())


@pytest.mark.usefixtures("server")
def test_a_stop_event_ends_the_iteration(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        stop = asyncio.Event()
        async with gamin.awatch(tmp_path, stop_event=stop) as watch:
            (tmp_path / "file").touch()
            async for batch in watch:
                assert batch == [created(tmp_path / "file")]
                asyncio.get_running_loop().call_soon(stop.set)
        async with gamin.awatch(tmp_path, stop_event=stop) as watch:
            assert [batch async for batch in watch] == []

    run(test())


@pytest.mark.usefixtures("server")
def test_many_watch_beside_each_other(run: Run, tmp_path: Path) -> None:
    async def first(ready: asyncio.Barrier) -> list[gamin.Event]:
        async with gamin.awatch(tmp_path) as watch:
            await ready.wait()
            return await anext(watch)

    async def test() -> None:
        ready = asyncio.Barrier(9)
        tasks = [asyncio.create_task(first(ready)) for _ in range(8)]
        await ready.wait()
        (tmp_path / "file").touch()
        assert await asyncio.gather(*tasks) == [[created(tmp_path / "file")]] * 8

    run(test())


@pytest.mark.usefixtures("server")
def test_a_refusal_comes_out_where_the_watch_is_entered(
    run: Run, tmp_path: Path
) -> None:
    async def test() -> None:
        with pytest.raises(gamin.WatchRefused, match="settle"):
            async with gamin.awatch(tmp_path, settle=-1):
                pass

    run(test())


def test_a_path_that_cannot_be_watched_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no path"):
        gamin.awatch()
    with pytest.raises(gamin.InvalidPath):
        gamin.awatch("")


@pytest.mark.usefixtures("server")
def test_a_forgotten_watch_is_a_resource_warning(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        watch = gamin.awatch(tmp_path, initial=True)
        (tmp_path / "file").touch()
        assert await anext(watch) == [exists(tmp_path / "file")]
        with pytest.warns(ResourceWarning, match="unclosed <AsyncWatch"):
            del watch

    run(test())


@pytest.mark.usefixtures("server")
def test_waiting_takes_no_time_of_the_processor(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        async with gamin.awatch(tmp_path, timeout=0.3) as watch:
            before = time.thread_time()
            with pytest.raises(gamin.WatchTimeout):
                await anext(watch)
            assert time.thread_time() - before < 0.1

    run(test())


@pytest.mark.usefixtures("server")
def test_an_event_of_threads_ends_the_iteration_without_blocking_the_loop(
    run: Run, tmp_path: Path
) -> None:
    async def test() -> None:
        stop = threading.Event()
        async with gamin.awatch(tmp_path, stop_event=stop) as watch:
            asyncio.get_running_loop().call_later(0.05, stop.set)
            assert [batch async for batch in watch] == []
            assert watch.closed

    run(test())


@pytest.mark.usefixtures("server")
def test_a_timeout_of_zero_takes_what_has_arrived_and_lets_others_run(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "old").touch()

    async def test() -> None:
        async with gamin.awatch(tmp_path, initial=True, timeout=0) as watch:
            assert await anext(watch) == [exists(tmp_path / "old")]
            ran = asyncio.ensure_future(asyncio.sleep(0, "ran"))  # one turn
            with pytest.raises(gamin.WatchTimeout):
                await anext(watch)
            assert await watch.next(0) is None
            assert ran.done()

    run(test())


@pytest.mark.usefixtures("server")
def test_any_thread_may_close(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            thread = threading.Timer(0.05, watch.close)
            thread.start()
            assert await watch.next() is None
            await asyncio.to_thread(thread.join)

    run(test())


@pytest.mark.usefixtures("server")
def test_a_second_task_that_waits_is_an_error(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        async with gamin.awatch(tmp_path) as watch:
            first = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)  # it waits
            with pytest.raises(RuntimeError, match="another task"):
                await watch.next(0)
            watch.close()
            assert await first is None

    run(test())


@pytest.mark.usefixtures("server")
def test_a_path_is_added_and_taken_away(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()

    async def test() -> None:
        async with gamin.awatch(first) as watch:
            await watch.add(second)
            (second / "f").touch()
            assert await anext(watch) == [created(second / "f")]
            await watch.remove(second)
            (second / "g").touch()
            (first / "f").touch()
            assert await anext(watch) == [created(first / "f")]

    run(test())


@pytest.mark.usefixtures("server")
def test_a_path_is_added_while_another_task_iterates(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()

    async def test() -> None:
        async with gamin.awatch(first) as watch:
            waiting = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)  # it waits
            await watch.add(second)
            (second / "f").touch()
            assert await waiting == [created(second / "f")]

    run(test())
