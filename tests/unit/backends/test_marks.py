"""Marks: the nodes of a marked directory, and when the kernel removes a mark."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.base import FIRST_MARK
from gamin.backends.marks import Marks, identity_at
from gamin.events import CREATE, IGNORED, MODIFY, MOVED_TO, Change
from gamin.system import fanotify
from gamin.system.inotify import Reader
from testkit.backends import ALL, NAMES, Directory


@pytest.fixture
def group() -> Iterator[int]:
    try:
        fd = fanotify.open_group()
    except OSError as error:
        pytest.skip(f"the kernel refuses: {error.strerror}")
    yield fd
    os.close(fd)


@pytest.fixture
def marks(group: int) -> Marks:
    return Marks(group)


def masks(group: int) -> list[int]:
    return [event.mask for event in fanotify.decode(Reader(group).read())]


def test_a_mark_is_found_by_identity(marks: Marks, tmp_path: Path) -> None:
    node = Directory(tmp_path)
    assert marks.add(node, ALL) == []
    mark = marks.get(identity_at(bytes(tmp_path)) or b"")
    assert mark is not None
    assert mark.owners == (node,)
    assert mark.number == node.wd >= FIRST_MARK
    assert list(marks) == [mark]


def test_a_mark_is_removed_with_its_last_node(
    marks: Marks, group: int, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(".")
    (tmp_path / "box").mkdir()
    nodes = [Directory(tmp_path / "box"), Directory(tmp_path / "link" / "box")]
    for node in nodes:
        marks.add(node, NAMES)
    assert len(marks) == 1
    marks.remove(nodes[0])
    os.mknod(tmp_path / "box" / "new")
    assert masks(group) == [CREATE]
    marks.remove(nodes[1])
    os.mknod(tmp_path / "box" / "newer")
    assert masks(group) == []
    assert len(marks) == 0


def test_a_mark_of_two_nodes_has_the_masks_of_both(
    marks: Marks, group: int, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(".")
    (tmp_path / "box").mkdir()
    marks.add(Directory(tmp_path / "box"), CREATE)
    marks.add(Directory(tmp_path / "link" / "box"), MODIFY)
    (tmp_path / "box" / "new").write_text("text")
    assert masks(group) == [CREATE | MODIFY]


def test_a_misplaced_node_loses_its_mark(marks: Marks, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    lost, found = Directory(tmp_path / "old"), Directory(tmp_path / "new")
    marks.add(lost, ALL)
    (tmp_path / "old").rename(tmp_path / "new")
    assert marks.add(found, ALL) == [Change(lost, IGNORED, 0, b"")]
    assert not lost.is_watched
    assert found.is_watched
    assert len(marks) == 1


def test_a_node_can_come_to_mean_another_directory(
    marks: Marks, group: int, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    node = Directory(tmp_path / "box")
    marks.add(node, MOVED_TO)
    (tmp_path / "box").rename(tmp_path / "elsewhere")
    (tmp_path / "box").mkdir()
    marks.add(node, CREATE)
    os.mknod(tmp_path / "box" / "new")
    assert masks(group) == [CREATE]
    assert len(marks) == 1


def test_a_directory_that_left_for_an_unknown_place_can_come_back(
    marks: Marks, group: int, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    node = Directory(tmp_path / "box")
    marks.add(node, CREATE)
    (tmp_path / "box").rename(tmp_path / "elsewhere")
    marks.remove(node)
    assert len(marks) == 0
    again = Directory(tmp_path / "elsewhere")
    marks.add(again, CREATE)
    os.mknod(tmp_path / "elsewhere" / "new")
    assert masks(group) == [CREATE]
