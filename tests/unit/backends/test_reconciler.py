"""The reconciler: names that are certain, names in doubt, and what a probe decides."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.marks import Marks, identity_at
from gamin.backends.reconciler import EntryType, Reconciler
from gamin.events import CREATE, DELETE, IS_DIR, Change
from gamin.system import fanotify
from testkit.backends import NAMES, Directory

QUEUE = 4


@pytest.fixture
def marks() -> Iterator[Marks]:
    try:
        group = fanotify.open_group()
    except OSError as error:
        pytest.skip(f"the kernel refuses: {error.strerror}")
    yield Marks(group)
    os.close(group)


@pytest.fixture
def node(marks: Marks, tmp_path: Path) -> Directory:
    node = Directory(tmp_path)
    marks.add(node, NAMES)
    return node


@pytest.fixture
def here(node: Directory) -> bytes:
    return identity_at(node.place) or b""


@pytest.fixture
def reconciler() -> Reconciler:
    return Reconciler(QUEUE)


def test_a_name_in_one_event_is_certain(reconciler: Reconciler) -> None:
    assert not reconciler.observe(b"here", b"a", EntryType.FILE, is_doubtful=False)
    assert not reconciler.observe(b"here", b"b", EntryType.FILE, is_doubtful=False)
    assert not reconciler.observe(b"there", b"a", EntryType.NOTHING, is_doubtful=False)
    assert not reconciler


def test_a_name_in_two_events_is_in_doubt(reconciler: Reconciler) -> None:
    reconciler.observe(b"here", b"a", EntryType.FILE, is_doubtful=False)
    assert reconciler.observe(b"here", b"a", EntryType.NOTHING, is_doubtful=False)
    assert reconciler


def test_an_event_that_contradicts_itself_is_in_doubt(reconciler: Reconciler) -> None:
    assert reconciler.observe(b"here", b"a", EntryType.NOTHING, is_doubtful=True)


def test_an_empty_queue_ends_all_doubts(reconciler: Reconciler) -> None:
    reconciler.observe(b"here", b"a", EntryType.FILE, is_doubtful=False)
    reconciler.queue_was_empty()
    assert not reconciler.observe(b"here", b"a", EntryType.NOTHING, is_doubtful=False)


def test_a_reconciler_remembers_as_much_as_the_queue_holds(
    reconciler: Reconciler,
) -> None:
    reconciler.observe(b"here", b"a", EntryType.FILE, is_doubtful=False)
    for number in range(2 * QUEUE - 1):
        reconciler.observe(b"here", b"%d" % number, EntryType.FILE, is_doubtful=False)
    assert reconciler.observe(b"here", b"a", EntryType.NOTHING, is_doubtful=False)
    for number in range(1000, 1000 + 4 * QUEUE + 2):
        reconciler.observe(b"here", b"%d" % number, EntryType.FILE, is_doubtful=False)
    assert not reconciler.observe(b"here", b"a", EntryType.NOTHING, is_doubtful=False)


@pytest.mark.parametrize(
    ("said", "made", "corrections"),
    [
        (EntryType.NOTHING, EntryType.NOTHING, []),
        (EntryType.NOTHING, EntryType.FILE, [CREATE]),
        (EntryType.NOTHING, EntryType.DIRECTORY, [CREATE | IS_DIR]),
        (EntryType.FILE, EntryType.NOTHING, [DELETE]),
        (EntryType.FILE, EntryType.FILE, []),
        (EntryType.FILE, EntryType.DIRECTORY, [DELETE, CREATE | IS_DIR]),
        (EntryType.DIRECTORY, EntryType.NOTHING, [DELETE | IS_DIR]),
        (EntryType.DIRECTORY, EntryType.FILE, [DELETE | IS_DIR, CREATE]),
        (EntryType.DIRECTORY, EntryType.DIRECTORY, []),
    ],
)
def test_a_probe_corrects_the_events(
    reconciler: Reconciler,
    marks: Marks,
    node: Directory,
    here: bytes,
    tmp_path: Path,
    said: EntryType,
    made: EntryType,
    corrections: list[int],
) -> None:
    if made is EntryType.FILE:
        (tmp_path / "it").touch()
    elif made is EntryType.DIRECTORY:
        (tmp_path / "it").mkdir()
    reconciler.observe(here, b"it", said, is_doubtful=True)
    wanted = [Change(node, mask, 0, b"it") for mask in corrections]
    assert reconciler.resolve(marks) == wanted
    assert not reconciler


def test_a_probed_state_counts_as_observed_from_then_on(
    reconciler: Reconciler, marks: Marks, node: Directory, here: bytes, tmp_path: Path
) -> None:
    (tmp_path / "it").touch()
    reconciler.observe(here, b"it", EntryType.NOTHING, is_doubtful=True)
    assert reconciler.resolve(marks)
    (tmp_path / "it").unlink()
    assert reconciler.observe(here, b"it", EntryType.NOTHING, is_doubtful=False)
    assert reconciler.resolve(marks) == []


def test_a_known_directory_in_the_place_of_another_is_reported_as_created(
    reconciler: Reconciler, marks: Marks, node: Directory, here: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    moved = Directory(tmp_path / "a")
    marks.add(moved, NAMES)
    (tmp_path / "a").rename(tmp_path / "b")
    reconciler.observe(here, b"b", EntryType.DIRECTORY, is_doubtful=True)
    assert reconciler.resolve(marks) == [
        Change(node, DELETE | IS_DIR, 0, b"b"),
        Change(node, CREATE | IS_DIR, 0, b"b"),
    ]
    moved.place = bytes(tmp_path / "b")
    reconciler.observe(here, b"b", EntryType.DIRECTORY, is_doubtful=True)
    assert reconciler.resolve(marks) == []


def test_nothing_is_reported_about_an_unwatched_directory(
    reconciler: Reconciler, marks: Marks, node: Directory, here: bytes, tmp_path: Path
) -> None:
    (tmp_path / "it").touch()
    reconciler.observe(here, b"it", EntryType.NOTHING, is_doubtful=True)
    marks.remove(node)
    assert reconciler.resolve(marks) == []
