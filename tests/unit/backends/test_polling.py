"""What only polling does: its deadline, its rounds, its share of the time."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from gamin.backends.polling import (
    BUSY_SHARE,
    MAX_REST_SECONDS,
    POLL_SLICE_SECONDS,
    PollingBackend,
)
from gamin.events import CLOSE_WRITE, CREATE, DELETE, IGNORED, MODIFY, Change
from testkit.backends import ALL, NAMES, Directory, story

Seen = Sequence[Change]


class Clock:
    """A clock that stands still, or advances by `pace` at each call."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pace = 0.0

    def __call__(self) -> float:
        self.now += self.pace
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend(clock: Clock) -> PollingBackend:
    return PollingBackend(clock)


def polled(backend: PollingBackend, clock: Clock, seconds: float = 1.0) -> Seen:
    """The changes of a poll after so many seconds."""
    clock.now += seconds
    return backend.due(clock.now)


def test_nothing_is_due_while_nothing_is_polled(
    backend: PollingBackend, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    assert backend.deadline() is None
    backend.watch(node, ALL)
    assert backend.deadline() is not None
    backend.unwatch(node)
    assert backend.deadline() is None


def test_a_poll_is_due_at_the_next_multiple_of_the_interval(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    clock.now = 1000.3
    backend.watch(Directory(tmp_path), ALL, 5.0)
    assert backend.deadline() == 1005.0
    assert not polled(backend, clock, 4.7)
    assert backend.deadline() == 1010.0


def test_an_entry_learned_between_two_polls_is_reported_at_once_and_once(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    os.mknod(tmp_path / "old")
    backend.watch(node, ALL)
    os.mknod(tmp_path / "new")
    found = {b"old": False, b"new": False}
    assert story(backend.absorb_scan(node, found)) == ["created new"]
    assert not backend.absorb_scan(node, found)
    assert not polled(backend, clock)


@pytest.mark.parametrize("mask", [NAMES, ALL])
def test_an_entry_learned_and_gone_at_the_next_poll_is_reported_as_deleted(
    backend: PollingBackend, clock: Clock, tmp_path: Path, mask: int
) -> None:
    node = Directory(tmp_path)
    backend.watch(node, mask)
    assert story(backend.absorb_scan(node, {b"box": True})) == ["created box/"]
    assert story(polled(backend, clock)) == ["deleted box/"]


def test_a_write_after_an_entry_was_learned_is_reported(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    backend.watch(node, ALL)
    os.mknod(tmp_path / "new")
    backend.absorb_scan(node, {b"new": False})
    (tmp_path / "new").write_text("text")
    assert story(polled(backend, clock)) == ["written new"]


@pytest.mark.parametrize("mask", [NAMES, ALL])
def test_an_entry_found_gone_that_comes_back_is_reported(
    backend: PollingBackend, clock: Clock, tmp_path: Path, mask: int
) -> None:
    """It is reported although no poll finds a difference."""
    node = Directory(tmp_path)
    for name in ("file", "other"):
        os.mknod(tmp_path / name)
    backend.watch(node, mask)
    assert story(backend.absorb_scan(node, {b"file": None})) == ["deleted file"]
    assert story(backend.absorb_scan(node, {}, is_all=True)) == ["deleted other"]
    assert sorted(story(polled(backend, clock))) == ["created file", "created other"]


@pytest.mark.parametrize("mask", [NAMES, ALL])
def test_an_entry_found_of_another_kind_that_changes_back_is_reported(
    backend: PollingBackend, clock: Clock, tmp_path: Path, mask: int
) -> None:
    node = Directory(tmp_path)
    (tmp_path / "box").mkdir()
    backend.watch(node, mask)
    found = {b"box": False}
    assert story(backend.absorb_scan(node, found)) == ["deleted box/", "created box"]
    assert not backend.absorb_scan(node, found)
    assert story(polled(backend, clock)) == ["deleted box", "created box/"]


def test_an_entry_found_gone_is_reported_only_where_polling_reports_names(
    backend: PollingBackend, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    os.mknod(tmp_path / "file")
    backend.watch(node, ALL & ~NAMES)
    assert not backend.absorb_scan(node, {b"file": None})


def test_polling_scans_only_when_a_scan_is_due(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), ALL)
    os.mknod(tmp_path / "new")
    assert not polled(backend, clock, 0.5)
    assert story(polled(backend, clock, 0.5)) == ["created new"]


def test_each_path_has_its_own_interval(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    often, seldom = (Directory(tmp_path / name) for name in ("often", "seldom"))
    for node in (often, seldom):
        os.mkdir(node.place)
    backend.watch(often, NAMES, 1.0)
    backend.watch(seldom, NAMES, 5.0)
    looks = []
    for second in range(1, 11):
        clock.now += 1.0
        for node in (often, seldom):
            os.mknod(os.path.join(os.fsdecode(node.place), str(second)))
        changes = backend.due(clock.now)
        looks.append([len(story(changes, node)) for node in (often, seldom)])
    assert [often for often, _ in looks] == [1] * 10
    assert [seldom for _, seldom in looks] == [0, 0, 0, 0, 5, 0, 0, 0, 0, 5]


def test_the_interval_can_be_changed(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    backend.watch(node, ALL, 60.0)
    backend.watch(node, ALL, 1.0)
    os.mknod(tmp_path / "new")
    assert story(polled(backend, clock)) == ["created new"]


def test_an_interval_of_zero_is_the_shortest_interval(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), ALL, 0.0)
    assert not backend.due(clock.now)
    os.mknod(tmp_path / "new")
    assert story(polled(backend, clock, 0.1)) == ["created new"]


def test_a_written_file_is_one_change(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    node = Directory(tmp_path)
    backend.watch(node, ALL)
    (tmp_path / "file").write_text("text")
    assert polled(backend, clock) == [Change(node, MODIFY | CLOSE_WRITE, 0, b"file")]


def test_what_is_polled_below_a_path_is_known_parents_first(
    backend: PollingBackend, tmp_path: Path
) -> None:
    nodes = {}
    for name in ("top/below", "top", "topless", "other"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        nodes[name] = Directory(tmp_path / name)
        backend.watch(nodes[name], ALL)
    found = backend.polled_below(bytes(tmp_path / "top"))
    assert found == [nodes["top"], nodes["top/below"]]
    backend.unwatch(nodes["top"])
    assert backend.polled_below(bytes(tmp_path / "top")) == [nodes["top/below"]]


def test_the_order_is_deletions_creations_modifications(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "z").touch()
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "a").write_text("text")
    os.mknod(tmp_path / "m")
    (tmp_path / "z").unlink()
    assert story(polled(backend, clock)) == ["deleted z", "created m", "written a"]


def test_a_directory_becomes_a_file_and_is_one_again(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    outer, inner = Directory(tmp_path), Directory(box)
    backend.watch(outer, ALL)
    backend.watch(inner, ALL)

    box.rmdir()
    box.touch()
    changes = polled(backend, clock)
    assert story(changes, outer) == ["deleted box/", "created box"]
    assert [c for c in changes if c.node is inner] == [Change(inner, IGNORED, 0, b"")]
    assert inner.wd_poll == -1

    with pytest.raises(NotADirectoryError):
        backend.watch(inner, ALL)
    box.unlink()
    box.mkdir()
    backend.watch(inner, ALL)
    os.mknod(box / "new")
    changes = polled(backend, clock)
    assert story(changes, outer) == ["deleted box", "created box/"]
    assert story(changes, inner) == ["created new"]


def test_the_watch_of_the_kernel_is_left_alone(
    backend: PollingBackend, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    node.wd = 5
    backend.watch(node, ALL)
    assert (node.wd, node.wd_poll >= 0) == (5, True)
    backend.unwatch(node)
    assert (node.wd, node.wd_poll) == (5, -1)


def test_an_event_of_the_kernel_is_not_reported_again_by_polling(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    backend.watch(node, ALL)
    os.mknod(tmp_path / "told")
    backend.absorb_kernel_event(node, CREATE, b"told")
    assert not polled(backend, clock)
    backend.unwatch(node)
    backend.absorb_kernel_event(node, CREATE, b"told")


def test_the_next_poll_continues_from_the_last_event_of_the_kernel(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    """The state of the event counts, because later events may have been missed."""
    node = Directory(tmp_path)
    (tmp_path / "again").touch()
    backend.watch(node, ALL)
    backend.absorb_kernel_event(node, CREATE, b"short")
    backend.absorb_kernel_event(node, DELETE, b"again")
    reported = [(change.mask, change.name) for change in polled(backend, clock)]
    assert reported == [(DELETE, b"short"), (CREATE, b"again")]


def test_a_long_round_leaves_time_for_others(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    nodes = [Directory(tmp_path / str(number)) for number in range(6)]
    for node in nodes:
        os.mkdir(node.place)
        backend.watch(node, NAMES)
        os.mknod(os.path.join(os.fsdecode(node.place), "new"))
    clock.now += 1.0
    clock.pace = POLL_SLICE_SECONDS  # each look seems to take that long
    drained: list[int] = []
    while sum(drained) < len(nodes):
        drained.append(len(backend.due(clock.now)))
        assert drained[-1] > 0
        assert sum(drained) == len(nodes) or backend.deadline() == 0.0
    assert len(drained) > 1


def test_a_directory_unwatched_while_its_round_waits_is_silent(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    nodes = [Directory(tmp_path / str(number)) for number in range(6)]
    for node in nodes:
        os.mkdir(node.place)
        backend.watch(node, NAMES)
        os.mknod(os.path.join(os.fsdecode(node.place), "new"))
    clock.now += 1.0
    clock.pace = POLL_SLICE_SECONDS
    assert len(backend.due(clock.now)) < len(nodes)
    backend.unwatch(nodes[-1])
    changes = [change for _ in nodes for change in backend.due(clock.now)]
    assert changes
    assert not story(changes, nodes[-1])


def test_polling_takes_no_more_than_its_share_of_the_time(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), NAMES, 1.0)
    clock.now += 1.0
    clock.pace = 2.0  # a file server that hardly answers
    polled(backend, clock)
    clock.pace = 0.0
    os.mknod(tmp_path / "new")
    clock.now += 2.0 / BUSY_SHARE / 2
    assert not polled(backend, clock)
    clock.now += 2.0 / BUSY_SHARE * 2
    assert story(polled(backend, clock)) == ["created new"]


def test_polling_rests_for_a_limited_time(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), NAMES, 1.0)
    clock.now += 1.0
    clock.pace = MAX_REST_SECONDS
    polled(backend, clock)
    clock.pace = 0.0
    deadline = backend.deadline()
    assert deadline is not None
    assert deadline - clock.now <= MAX_REST_SECONDS


def test_the_oldest_poll_is_that_of_the_last_round_that_was_finished(
    backend: PollingBackend, clock: Clock, tmp_path: Path
) -> None:
    assert backend.oldest_poll() is None
    began = clock.now
    nodes = [Directory(tmp_path) for _ in range(3)]
    for node in nodes:
        backend.watch(node, NAMES, 1.0)
    assert backend.oldest_poll() == began
    clock.pace = POLL_SLICE_SECONDS
    started = clock.now + 1.0
    polled(backend, clock)
    assert backend.deadline() == 0.0, "a slice is not all of them"
    assert backend.oldest_poll() == began
    while backend.deadline() == 0.0:
        backend.due(clock.now)
    assert backend.oldest_poll() == started
    for node in nodes:
        backend.unwatch(node)
    assert backend.oldest_poll() is None
