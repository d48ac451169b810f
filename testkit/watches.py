"""Watches in tests: a session with a server of its own, and waiting for events.

What is expected is said by the tests.
"""

import asyncio
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gamin import AsyncWatch, Event, Kind, Watch
from gamin.client import launch
from gamin.client.connect import connect_watchman
from gamin.client.locate import NoServer
from gamin.system.peercred import peer_of
from testkit.forked_servers import are_in_use, launch_forked, prepare
from testkit.waiting import eventually

SOON = 10.0
"""Seconds in which everything that is to come has come."""


@contextmanager
def serving(session: str) -> Iterator[None]:
    """Watches of this block use `session`; whatever server they started is ended."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GAM_CLIENT_ID", session)
        if are_in_use():
            prepare()
            environment.setattr(launch, "launch", launch_forked)
        try:
            yield
        finally:
            with suppress(NoServer):
                signal_server(signal.SIGTERM, ends=True)


def signal_server(
    number: signal.Signals,
    *,
    ends: bool = False,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Signal the server of the session; return when it has ended, if it is to."""
    with connect_watchman(start=False, environ=environ) as connected:
        pid = peer_of(connected).pid
    process = os.pidfd_open(pid)
    try:
        os.kill(pid, number)
        if ends:
            select.select([process], [], [])
    finally:
        os.close(process)


def kill_server() -> None:
    signal_server(signal.SIGKILL, ends=True)


def until(watch: Watch, *wanted: Event) -> list[Event]:
    """The events up to the last one of `wanted`."""
    events: list[Event] = []
    while not set(wanted) <= set(events):
        events += next(watch)
    return events


async def auntil(watch: AsyncWatch, *wanted: Event) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(SOON):
        while not set(wanted) <= set(events):
            events += await anext(watch)
    return events


def created(path: Path, *, is_dir: bool = False, recovered: bool = False) -> Event:
    return Event(Kind.CREATED, str(path), None, is_dir, recovered)


def changed(path: Path, *, is_dir: bool = False, recovered: bool = False) -> Event:
    return Event(Kind.CHANGED, str(path), None, is_dir, recovered)


def deleted(path: Path, *, is_dir: bool = False, recovered: bool = False) -> Event:
    return Event(Kind.DELETED, str(path), None, is_dir, recovered)


def exists(path: Path, *, is_dir: bool = False, recovered: bool = False) -> Event:
    return Event(Kind.EXISTS, str(path), None, is_dir, recovered)


def moved(path: Path, dest: Path, *, is_dir: bool = False) -> Event:
    return Event(Kind.MOVED, str(path), str(dest), is_dir)


def aged(*paths: Path) -> None:
    """Return when what happens now has a later time stamp than these files.

    Time stamps come from a clock that ticks every few milliseconds, and a recovery
    allows for 10 ms of it.
    """
    youngest = max(path.lstat().st_ctime_ns for path in paths)
    eventually(lambda: time.time_ns() > youngest + 20_000_000)
