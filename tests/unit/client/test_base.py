"""How a watch ends: closed once, by whoever comes last."""

import gc
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gamin.client.arguments import make_session
from gamin.client.base import BaseWatch, has_unyielded
from gamin.client.driver import Driver
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Batch


class Opened(BaseWatch):
    """A watch with its descriptor, and no server."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self.readiness = self._prepare()
        self._is_open = True

    def busy(self) -> bool:
        """Become the one that runs the driver."""
        return self._busy.acquire(blocking=False)

    def idle(self) -> None:
        self._busy.release()
        self._release()

    def has_descriptor(self) -> bool:
        return self._readiness is not None


def opened(path: Path) -> Opened:
    def connect() -> socket.socket:
        raise AssertionError("nobody asks for a connection")

    session = make_session([path], WatchOptions(), None)
    return Opened(Driver(session, connect=connect))


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Opened]:
    with closing(opened(tmp_path)) as made:
        yield made


def test_a_new_watch_has_no_clock_and_is_catching_up(watch: Opened) -> None:
    assert (watch.clock, watch.closed, watch.catching_up) == (None, False, True)
    assert repr(watch) == "<Opened of gamin, None>"


def test_what_was_received_is_unyielded_until_it_is_taken(watch: Opened) -> None:
    assert not has_unyielded(watch)
    batch = Batch([Event(Kind.CREATED, "/a")], "c:1:2:3:4")
    watch._driver.channel.batches.append(batch)
    assert has_unyielded(watch)
    watch._driver.channel.take(batch)
    assert not has_unyielded(watch)


def test_a_closed_watch_has_no_descriptor_and_may_be_closed_again(
    watch: Opened,
) -> None:
    watch.close()
    assert watch.closed
    assert not watch.has_descriptor()
    assert repr(watch) == "<Opened of gamin, closed>"
    watch.close()


def test_who_runs_the_driver_is_woken_and_closes_the_watch(watch: Opened) -> None:
    assert watch.busy()
    watch.close()
    assert watch.has_descriptor()
    assert watch.readiness.wait(0)  # so that it learns of the end
    watch.idle()
    assert not watch.has_descriptor()


def test_a_watch_that_is_forgotten_warns_and_closes_its_descriptor(
    tmp_path: Path,
) -> None:
    made = [opened(tmp_path)]
    readiness = made[0].readiness
    with pytest.warns(ResourceWarning, match="unclosed <Opened of gamin, None>"):
        made.clear()
    with pytest.raises((OSError, ValueError)):
        os.fstat(readiness.fileno())


def test_a_watch_that_was_closed_is_forgotten_without_a_warning(
    tmp_path: Path,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened(tmp_path).close()
        gc.collect()
