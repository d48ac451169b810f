"""Changed attributes of a subdirectory are reported as its parent's entry."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.fanotify import FanotifyBackend
from gamin.backends.marks import Marks, identity_at
from gamin.backends.subdirectories import Subdirectories
from gamin.events import ATTRIB, IS_DIR, Change
from gamin.system import fanotify
from testkit.backends import ALL, NAMES, Directory, story


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
    (tmp_path / "sub").mkdir()
    node = Directory(tmp_path)
    marks.add(node, ALL)
    return node


@pytest.fixture
def subdirectories() -> Subdirectories:
    return Subdirectories()


def reported(subdirectories: Subdirectories, marks: Marks, path: Path) -> list[Change]:
    subdirectories.applied()
    identity = identity_at(bytes(path)) or b""
    return subdirectories.attributes_changed(marks, identity)


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_change_of_attributes_of_a_subdirectory_has_its_name(
    subdirectories: Subdirectories,
    marks: Marks,
    node: Directory,
    tmp_path: Path,
    is_watched: bool,
) -> None:
    if is_watched:
        marks.add(Directory(tmp_path / "sub"), NAMES)
    changes = reported(subdirectories, marks, tmp_path / "sub")
    assert changes == [Change(node, ATTRIB | IS_DIR, 0, b"sub")]


def test_the_index_is_made_again_when_it_is_outdated(
    subdirectories: Subdirectories, marks: Marks, node: Directory, tmp_path: Path
) -> None:
    assert reported(subdirectories, marks, tmp_path / "sub")
    (tmp_path / "sub").rename(tmp_path / "moved")
    (tmp_path / "new").mkdir()
    for name in ("moved", "new"):
        changes = reported(subdirectories, marks, tmp_path / name)
        assert changes == [Change(node, ATTRIB | IS_DIR, 0, os.fsencode(name))]


def test_attributes_are_reported_only_if_the_mask_asks_for_them(
    subdirectories: Subdirectories, marks: Marks, node: Directory, tmp_path: Path
) -> None:
    marks.add(node, NAMES)
    assert reported(subdirectories, marks, tmp_path / "sub") == []
    marks.add(Directory(tmp_path / "sub"), ALL)
    assert reported(subdirectories, marks, tmp_path / "sub") == []


def test_an_unknown_subdirectory_is_not_reported(
    subdirectories: Subdirectories, marks: Marks, node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "sub" / "deep").mkdir()
    assert reported(subdirectories, marks, tmp_path / "sub" / "deep") == []
    assert subdirectories
    assert subdirectories.settle(marks) == []
    assert not subdirectories


def test_a_moved_subdirectory_is_reported_once_its_place_is_known(
    subdirectories: Subdirectories, marks: Marks, node: Directory, tmp_path: Path
) -> None:
    moved = Directory(tmp_path / "sub")
    marks.add(moved, ALL)
    (tmp_path / "sub").rename(tmp_path / "other")
    assert reported(subdirectories, marks, tmp_path / "other") == []
    moved.place = bytes(tmp_path / "other")
    assert subdirectories
    assert subdirectories.settle(marks) == [Change(node, ATTRIB | IS_DIR, 0, b"other")]


def test_changes_keep_their_order(marks: Marks, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").touch()
    backend = FanotifyBackend()
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "sub").chmod(0o711)
    (tmp_path / "file").chmod(0o600)
    assert story(backend.drain()) == ["attributes sub/", "attributes file"]
    backend.close()
