"""From the kernel to polling and back, with both real, and nothing lost between."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gamin.backends.inotify import InotifyBackend
from gamin.backends.polling import PollingBackend
from gamin.core.model.node import Node
from gamin.engine.handover import Handover
from gamin.events import CREATE, DELETE, IS_DIR, MOVED_TO, AnyChange, Change

NAMES = CREATE | DELETE
INTERVAL = 3600.0
"""Seconds: polling looks only where a test asks for it."""


class Both:
    """A handover, and what it gave to the core."""

    def __init__(self, place: Path) -> None:
        self.kernel = InotifyBackend()
        self.polling = PollingBackend()
        self.applied: list[AnyChange] = []
        self.handover = Handover(self.kernel, self.polling, self._apply)
        self.node = Node(None, b"")
        for name in os.fsencode(place).split(b"/")[1:]:
            self.node = Node(self.node, name)
        self.node.interval = INTERVAL

    def _apply(self, changes: Sequence[AnyChange]) -> None:
        self.handover.absorb_kernel_events(changes)
        self.applied += changes

    def want(self, *, kernel: int = 0, poll: int = 0) -> None:
        """The core decides, and the executor carries it out."""
        self.node.kernel_mask, self.node.poll_mask = kernel, poll
        self.node.mask = kernel | poll
        self.handover.watch(self.node)

    def drain(self) -> None:
        self._apply(self.kernel.drain())

    def names(self) -> list[bytes]:
        """The names in all changes so far, and no longer."""
        found = [*self.applied, *self.handover.observed]
        self.applied.clear()
        self.handover.observed.clear()
        return [name for _, _, _, name in found if name]

    def close(self) -> None:
        self.kernel.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    (tmp_path / "box").mkdir()
    with closing(Both(tmp_path / "box")) as made:
        yield made


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "box"


def test_what_the_kernel_has_queued_is_applied_before_its_watch_ends(
    both: Both, box: Path
) -> None:
    both.want(kernel=NAMES)
    (box / "late").touch()
    both.want(poll=NAMES)
    assert both.names() == [b"late"]
    assert (both.node.wd, both.polling.mask(both.node)) == (-1, NAMES)


def test_polling_reports_nothing_again_that_the_kernel_reported(
    both: Both, box: Path
) -> None:
    both.want(kernel=NAMES)
    both.want(kernel=NAMES, poll=NAMES)
    (box / "once").touch()
    both.drain()
    assert both.names() == [b"once"]
    assert both.polling.final_poll(both.node) == []


def test_polling_reports_once_more_before_it_ends(both: Both, box: Path) -> None:
    both.want(poll=NAMES)
    (box / "late").touch()
    both.want(kernel=NAMES)
    both.drain()
    assert both.names() == [b"late"]
    assert both.polling.mask(both.node) == 0


def test_what_happens_after_the_way_back_is_the_kernel_s(both: Both, box: Path) -> None:
    both.want(poll=NAMES)
    both.want(kernel=NAMES)
    (box / "new").touch()
    both.drain()
    assert both.names() == [b"new"]


def test_a_directory_that_is_wanted_again_stays_watched(both: Both) -> None:
    both.want(kernel=NAMES)
    both.handover.unwatch(both.node)
    assert both.node.wd >= 0
    both.node.mask = 0
    both.handover.unwatch(both.node)
    assert both.node.wd == -1


def test_a_release_ends_both_whatever_is_wanted(both: Both) -> None:
    both.want(kernel=NAMES, poll=NAMES)
    both.handover.release(both.node)
    assert (both.node.wd, both.polling.mask(both.node)) == (-1, 0)


@pytest.mark.parametrize("is_polled", [False, True])
def test_another_directory_at_the_path_is_recognized(
    is_polled: bool, both: Both, box: Path
) -> None:
    both.want(poll=NAMES) if is_polled else both.want(kernel=NAMES)
    both.node.listed = True
    assert not both.handover.rewatch(both.node)
    box.rename(box.with_name("old"))
    box.mkdir()
    assert both.handover.rewatch(both.node)


def test_a_polled_directory_that_was_replaced_is_reported_as_moved_in(
    both: Both, box: Path
) -> None:
    both.want(poll=NAMES)
    both.node.listed = True
    box.rename(box.with_name("old"))
    box.mkdir()
    both.handover.rewatch(both.node)
    moved = Change(both.node.parent, MOVED_TO | IS_DIR, 0, b"box")
    assert both.handover.observed == [moved]


def test_polling_that_starts_again_reports_a_replaced_directory(
    both: Both, box: Path
) -> None:
    both.want(poll=NAMES)
    box.rename(box.with_name("old"))
    box.mkdir()
    both.want(poll=NAMES)  # as a retry of the kernel does
    moved = Change(both.node.parent, MOVED_TO | IS_DIR, 0, b"box")
    assert both.handover.observed == [moved]


def test_without_a_kernel_everything_is_polled(box: Path) -> None:
    polling = PollingBackend()
    handover = Handover(None, polling, lambda changes: None)
    node = Node(None, b"")
    for name in os.fsencode(box).split(b"/")[1:]:
        node = Node(node, name)
    box.mkdir(exist_ok=True)
    node.mask = node.poll_mask = NAMES
    node.interval = INTERVAL
    handover.watch(node)
    (box / "new").touch()
    assert [change.name for change in polling.final_poll(node)] == [b"new"]
    handover.release(node)
    assert polling.mask(node) == 0
