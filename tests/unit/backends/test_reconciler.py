"""Doubts: what is certain, what is not, and what a look makes of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.marks import Marks, identity_at
from gamin.backends.reconciler import Doubts, There
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
def doubts() -> Doubts:
    return Doubts(QUEUE)


def test_what_is_said_once_is_certain(doubts: Doubts) -> None:
    assert not doubts.say(b"here", b"a", There.FILE, is_doubtful=False)
    assert not doubts.say(b"here", b"b", There.FILE, is_doubtful=False)
    assert not doubts.say(b"there", b"a", There.NOTHING, is_doubtful=False)
    assert not doubts


def test_what_is_said_twice_is_in_doubt(doubts: Doubts) -> None:
    doubts.say(b"here", b"a", There.FILE, is_doubtful=False)
    assert doubts.say(b"here", b"a", There.NOTHING, is_doubtful=False)
    assert doubts


def test_what_contradicts_itself_is_in_doubt(doubts: Doubts) -> None:
    assert doubts.say(b"here", b"a", There.NOTHING, is_doubtful=True)


def test_an_empty_queue_ends_it(doubts: Doubts) -> None:
    doubts.say(b"here", b"a", There.FILE, is_doubtful=False)
    doubts.queue_was_empty()
    assert not doubts.say(b"here", b"a", There.NOTHING, is_doubtful=False)


def test_it_remembers_no_more_than_the_queue_holds_and_no_less(doubts: Doubts) -> None:
    doubts.say(b"here", b"a", There.FILE, is_doubtful=False)
    for number in range(2 * QUEUE - 1):
        doubts.say(b"here", b"%d" % number, There.FILE, is_doubtful=False)
    assert doubts.say(b"here", b"a", There.NOTHING, is_doubtful=False)
    for number in range(1000, 1000 + 4 * QUEUE + 2):
        doubts.say(b"here", b"%d" % number, There.FILE, is_doubtful=False)
    assert not doubts.say(b"here", b"a", There.NOTHING, is_doubtful=False)


@pytest.mark.parametrize(
    ("said", "made", "corrections"),
    [
        (There.NOTHING, There.NOTHING, []),
        (There.NOTHING, There.FILE, [CREATE]),
        (There.NOTHING, There.DIRECTORY, [CREATE | IS_DIR]),
        (There.FILE, There.NOTHING, [DELETE]),
        (There.FILE, There.FILE, []),
        (There.FILE, There.DIRECTORY, [DELETE, CREATE | IS_DIR]),
        (There.DIRECTORY, There.NOTHING, [DELETE | IS_DIR]),
        (There.DIRECTORY, There.FILE, [DELETE | IS_DIR, CREATE]),
        (There.DIRECTORY, There.DIRECTORY, []),
    ],
)
def test_a_look_corrects_what_was_said(
    doubts: Doubts,
    marks: Marks,
    node: Directory,
    here: bytes,
    tmp_path: Path,
    said: There,
    made: There,
    corrections: list[int],
) -> None:
    if made is There.FILE:
        (tmp_path / "it").touch()
    elif made is There.DIRECTORY:
        (tmp_path / "it").mkdir()
    doubts.say(here, b"it", said, is_doubtful=True)
    wanted = [Change(node, mask, 0, b"it") for mask in corrections]
    assert doubts.settle(marks) == wanted
    assert not doubts


def test_what_was_found_is_what_is_said_from_then_on(
    doubts: Doubts, marks: Marks, node: Directory, here: bytes, tmp_path: Path
) -> None:
    (tmp_path / "it").touch()
    doubts.say(here, b"it", There.NOTHING, is_doubtful=True)
    assert doubts.settle(marks)
    (tmp_path / "it").unlink()
    assert doubts.say(here, b"it", There.NOTHING, is_doubtful=False)
    assert doubts.settle(marks) == []


def test_a_known_directory_in_the_place_of_another_comes_anew(
    doubts: Doubts, marks: Marks, node: Directory, here: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    moved = Directory(tmp_path / "a")
    marks.add(moved, NAMES)
    (tmp_path / "a").rename(tmp_path / "b")
    doubts.say(here, b"b", There.DIRECTORY, is_doubtful=True)
    assert doubts.settle(marks) == [
        Change(node, DELETE | IS_DIR, 0, b"b"),
        Change(node, CREATE | IS_DIR, 0, b"b"),
    ]
    moved.place = bytes(tmp_path / "b")
    doubts.say(here, b"b", There.DIRECTORY, is_doubtful=True)
    assert doubts.settle(marks) == []


def test_of_a_directory_that_nobody_watches_any_more_nothing_is_told(
    doubts: Doubts, marks: Marks, node: Directory, here: bytes, tmp_path: Path
) -> None:
    (tmp_path / "it").touch()
    doubts.say(here, b"it", There.NOTHING, is_doubtful=True)
    marks.remove(node)
    assert doubts.settle(marks) == []
