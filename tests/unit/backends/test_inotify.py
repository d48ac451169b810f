"""inotify returns changes piece by piece, on the real kernel.

The promises of every backend are tested in the contract; do not add them here.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gamin.backends.inotify import RENAME_WAIT_BYTES, InotifyBackend
from gamin.events import (
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    Change,
)
from gamin.system.inotify import BUFFER, limit
from testkit.backends import ALL, NAMES, Directory, drain

EVENT = 16 + 16
"""Bytes of an event with a name of less than 16."""
PIECE = BUFFER // EVENT
MANY = 3 * PIECE + 1
FULLEST = limit("max_queued_events")

pytestmark = pytest.mark.skipif(
    2 * MANY >= FULLEST, reason="the queue holds too little"
)


@pytest.fixture
def backend() -> Iterator[InotifyBackend]:
    backend = InotifyBackend()
    yield backend
    backend.close()


@pytest.fixture
def watched(backend: InotifyBackend, tmp_path: Path) -> Directory:
    node = Directory(tmp_path)
    backend.watch(node, NAMES)
    return node


def names(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def drained(backend: InotifyBackend) -> list[list[Change]]:
    """Drain until everything that happened before is returned."""
    batches = [drain(backend)]
    goal = backend.queued_bytes
    while backend.drained_bytes < goal:
        batches.append(drain(backend))
    return batches


def paired(changes: Sequence[Change]) -> list[tuple[bytes, bytes]]:
    """Old and new name of each rename that came with both halves."""
    begun = {c.cookie: c.name for c in changes if c.cookie and c.mask & MOVED_FROM}
    return [
        (begun[c.cookie], c.name) for c in changes if c.cookie and c.mask & MOVED_TO
    ]


@pytest.mark.usefixtures("watched")
def test_a_drain_reads_everything_and_gives_out_a_piece(
    backend: InotifyBackend, tmp_path: Path
) -> None:
    for name in names(MANY):
        os.mknod(tmp_path / os.fsdecode(name))
    first = drain(backend)
    assert len(first) == PIECE
    assert backend.queued_bytes == MANY * EVENT
    assert backend.drained_bytes == PIECE * EVENT
    (tmp_path / "later").touch()
    reported = [change.name for batch in (first, *drained(backend)) for change in batch]
    assert reported == [*names(MANY), b"later"]


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("before", [0, 1])
def test_no_rename_is_torn_where_a_piece_ends(
    backend: InotifyBackend, tmp_path: Path, before: int
) -> None:
    """With and without an event before them, so that halves are first in a piece, and
    last."""
    for name in names(MANY):
        os.mknod(tmp_path / os.fsdecode(name))
    drained(backend)
    for number in range(before):
        os.mknod(tmp_path / f"before-{number}")
    for name in names(MANY):
        old = tmp_path / os.fsdecode(name)
        old.rename(old.with_name("n" + old.name))
    batches = drained(backend)
    assert len(batches) > 4
    assert paired([c for batch in batches for c in batch]) == [
        (name, b"n" + name) for name in names(MANY)
    ]
    for batch in batches:  # each as a whole: what begins in one does not end in another
        halves = sum(1 for change in batch if change.cookie)
        assert halves == 2 * len(paired(batch))


def test_a_rename_to_an_unwatched_place_is_a_deletion_in_its_order(
    backend: InotifyBackend, tmp_path: Path
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    for name in names(MANY):
        os.mknod(here / os.fsdecode(name))
    backend.watch(Directory(here), NAMES)
    for name in names(MANY):
        os.rename(here / os.fsdecode(name), elsewhere / os.fsdecode(name))
    changes = [change for batch in drained(backend) for change in batch]
    assert [(c.mask, c.cookie, c.name) for c in changes] == [
        (DELETE, 0, name) for name in names(MANY)
    ]


def test_a_second_half_is_not_waited_for_without_an_end(
    backend: InotifyBackend, tmp_path: Path
) -> None:
    """While more events are always queued, no read shows whether the half is queued."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    (here / "gone").touch()
    backend.watch(Directory(here), NAMES)
    (here / "gone").rename(elsewhere / "gone")
    serial, reported, drains = 0, False, 0
    while not reported:
        for _ in range(2 * PIECE):
            serial += 1
            os.mknod(here / f"{serial}")
        reported = any(c.mask == DELETE for c in drain(backend))
        drains += 1
        assert drains <= RENAME_WAIT_BYTES // BUFFER + 2
    assert drains > 1


def test_a_directory_that_ends_in_what_is_carried_over_ends_once(
    backend: InotifyBackend, tmp_path: Path
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for directory in (here, elsewhere, here / "sub"):
        directory.mkdir()
    (here / "gone").touch()
    node, below = Directory(here), Directory(here / "sub")
    backend.watch(node, NAMES)
    backend.watch(below, NAMES)
    (here / "gone").rename(elsewhere / "gone")
    (here / "sub").rmdir()
    for name in names(MANY):
        os.mknod(here / os.fsdecode(name))
    changes = [change for batch in drained(backend) for change in batch]
    assert [c.name for c in changes if c.node is node and c.mask == CREATE] == names(
        MANY
    )
    assert [(c.mask, c.name) for c in changes if c.mask != CREATE] == [
        (DELETE, b"gone"),
        (IGNORED, b""),
        (DELETE | IS_DIR, b"sub"),
    ]
    assert below.wd == -1


def test_carried_changes_of_an_unwatched_directory_are_dropped(
    backend: InotifyBackend, tmp_path: Path
) -> None:
    here, there, elsewhere = (
        tmp_path / name for name in ("here", "there", "elsewhere")
    )
    for directory in (here, there, elsewhere):
        directory.mkdir()
    for word in ("one", "two"):
        (here / word).touch()
    node, other = Directory(here), Directory(there)
    backend.watch(node, NAMES)
    backend.watch(other, NAMES)
    (here / "one").rename(elsewhere / "one")
    (here / "two").rename(there / "two")
    for name in names(MANY):
        os.mknod(there / os.fsdecode(name))
    assert not backend.drain()  # all of it waits for the other half of the first
    backend.unwatch(node)
    changes = [change for batch in drained(backend) for change in batch]
    assert {c.node for c in changes} == {other}
    assert [(c.mask, c.cookie, c.name) for c in changes] == [
        (MOVED_TO, c.cookie, b"two") if c.name == b"two" else (CREATE, 0, c.name)
        for c in changes
    ]
    assert [c.name for c in changes] == [b"two", *names(MANY)]


def test_the_end_of_writing_is_returned_if_the_file_was_made_in_an_earlier_drain(
    backend: InotifyBackend, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), ALL)
    with (tmp_path / "new").open("wb", buffering=0) as file:
        assert [change.mask for change in drain(backend)] == [CREATE]
        file.write(b"content")
    assert [change.mask for change in drain(backend)] == [MODIFY, CLOSE_WRITE]


def test_a_file_that_is_closed_right_after_it_was_made_is_not_looked_at(
    backend: InotifyBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.watch(Directory(tmp_path), ALL)
    with (tmp_path / "new").open("wb"):
        backend.drain()
    monkeypatch.setattr(os, "lstat", None)
    assert [change.mask for change in drain(backend)] == [CLOSE_WRITE]
