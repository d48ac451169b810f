"""The interface of watchfiles without watchfiles."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from gamin.compat.engine import Engine
from gamin.compat.watchfiles import (
    BaseFilter,
    Change,
    DefaultFilter,
    PythonFilter,
    awatch,
    watch,
)
from testkit.watches import serving


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


def test_sets_of_changes_come_filtered_and_ignored_directories_are_not_watched(
    tmp_path: Path,
) -> None:
    (tmp_path / "node_modules").mkdir()
    watching = watch(tmp_path, yield_on_timeout=True, rust_timeout=1)
    assert next(watching) == set()
    (tmp_path / "node_modules" / "a.js").touch()
    (tmp_path / "a.pyc").touch()
    (tmp_path / "a.py").touch()
    assert next(each for each in watching if each) == {
        (Change.added, str(tmp_path / "a.py"))
    }
    watching.close()


def test_a_stop_event_ends_the_generator(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert list(watch(tmp_path, stop_event=stop)) == []


def test_a_missing_path_is_an_error_at_the_first_step(tmp_path: Path) -> None:
    watching = watch(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        next(watching)


async def first_of(tmp_path: Path) -> set[tuple[Change, str]]:
    watching = awatch(tmp_path, yield_on_timeout=True, rust_timeout=1)
    assert await anext(watching) == set()
    (tmp_path / "a").touch()
    while not (found := await anext(watching)):
        pass
    await watching.aclose()
    return found


def test_awatch_yields_the_same(tmp_path: Path) -> None:
    assert asyncio.run(first_of(tmp_path)) == {(Change.added, str(tmp_path / "a"))}


async def cancel(tmp_path: Path) -> None:
    async def wait() -> None:
        async for _ in awatch(tmp_path, yield_on_timeout=True, rust_timeout=1):
            watches.set()

    watches = asyncio.Event()
    task = asyncio.create_task(wait())
    await watches.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_cancelled_awatch_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    asyncio.run(cancel(tmp_path))
    assert set(threading.enumerate()) <= before


class GatedPath:
    """A path that can be spelled only after `gate` was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.asked = threading.Event()
        self.gate = threading.Event()

    def __fspath__(self) -> str:
        return str(self._path)

    def __str__(self) -> str:
        self.asked.set()
        self.gate.wait()
        return str(self._path)


async def cancel_while_it_opens(path: GatedPath) -> None:
    task = asyncio.ensure_future(anext(awatch(path)))
    try:
        await asyncio.to_thread(path.asked.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        path.gate.set()  # the end of the loop waits for the thread


def test_an_awatch_that_is_cancelled_while_it_opens_closes_its_engine(
    tmp_path: Path,
) -> None:
    engines: list[Engine] = []  # held here, so that no deletion closes one

    def observe(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code is Engine.__init__.__code__:
            engines.append(frame.f_locals["self"])

    threading.setprofile(observe)
    try:
        asyncio.run(cancel_while_it_opens(GatedPath(tmp_path)))
    finally:
        threading.setprofile(None)
    assert [repr(engine) for engine in engines] == ["RustNotify(None)"]


def test_awatch_ends_by_an_event_of_threading(tmp_path: Path) -> None:
    async def collect() -> list[set[tuple[Change, str]]]:
        stop = threading.Event()
        stop.set()
        return [each async for each in awatch(tmp_path, stop_event=stop)]

    assert asyncio.run(collect()) == []


PATHS = ["/w/a.py", "/w/a.pyc", "/w/.git/a", "/w/a~", "/w/x/flycheck_a", "/skip/a.py"]


@pytest.mark.parametrize("path", PATHS)
def test_filters_decide_as_those_of_the_library(path: str) -> None:
    theirs = pytest.importorskip("watchfiles")
    change = Change.added
    skip = ["/skip"]
    for ours, other in (
        (BaseFilter(), theirs.BaseFilter()),
        (DefaultFilter(), theirs.DefaultFilter()),
        (DefaultFilter(ignore_paths=skip), theirs.DefaultFilter(ignore_paths=skip)),
        (PythonFilter(), theirs.PythonFilter()),
    ):
        assert ours(change, path) == other(change, path)


def test_the_lists_and_numbers_are_those_of_the_library() -> None:
    theirs = pytest.importorskip("watchfiles")
    assert set(DefaultFilter.ignore_dirs) == set(theirs.DefaultFilter.ignore_dirs)
    assert set(DefaultFilter.ignore_entity_patterns) == set(
        theirs.DefaultFilter.ignore_entity_patterns
    )
    assert list(Change) == list(theirs.Change)
    for ours, other in ((watch, theirs.watch), (awatch, theirs.awatch)):
        known = set(inspect.signature(ours).parameters)
        unused = {"debug", "force_polling", "poll_delay_ms", "raise_interrupt"}
        assert set(inspect.signature(other).parameters) - known <= unused
