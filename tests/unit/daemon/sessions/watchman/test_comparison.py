"""A saved tree is compared while the disk is scanned for the first time."""

import os
from pathlib import Path

import pytest

from gamin.core.model.belief import export, restore
from gamin.core.model.node import Node
from gamin.core.model.tree import Tree
from gamin.daemon.sessions.watchman.comparison import Comparison
from gamin.state.loading import SavedTree
from gamin.state.resume import UNCHANGED
from gamin.state.saved import Header, Identity
from gamin.system import filesystem
from gamin.system.file_system_id import FileSystemIds
from testkit.waiting import eventually

TICK = 7
LATER_NS = 1 << 62
"""A real time that no test lives to see: nothing is newer."""


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    disk = tmp_path / "disk"
    (disk / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (disk / name).touch()
    return disk


def saved(disk: Path) -> SavedTree:
    """The tree as it is on the disk now."""
    tree = Tree()
    identities: dict[Node, Identity] = {}
    ids = FileSystemIds()

    def read(node: Node, path: bytes) -> None:
        directories, others, _ = filesystem.scan(path, 0)
        node.listed = True
        node.names.update(dict.fromkeys(others, False))
        status = os.stat(path)
        identities[node] = ids.of(status.st_dev, path), status.st_ino
        for name in directories:
            child = node.names[name] = Node(node, name)
            read(child, path + b"/" + name)

    read(tree.root, bytes(disk))
    belief = export(tree, tree.root)
    top = restore(Tree(), None, belief)
    there = zip(top.subtree(), tree.root.subtree(), strict=True)
    who = {restored: identities[node] for restored, node in there}
    return SavedTree(Header(9, 0, belief.top, 1, 0), top, who)


def comparison(disk: Path, tree: SavedTree, since_ns: int = LATER_NS) -> Comparison:
    return Comparison(tree, bytes(disk), since_ns, lambda: TICK)


def scanned(comparing: Comparison, path: Path) -> tuple[set[bytes], set[bytes]]:
    found = comparing.scan(bytes(path))
    assert found is not None
    return set(found[0]), set(found[1])


def newer(comparing: Comparison, path: Path) -> set[bytes]:
    seen = comparing.find(Node(None, b""), bytes(path) + b"/")
    assert seen is not None
    return set(seen.newer)


def test_a_directory_with_an_old_ctime_has_the_names_that_were_saved(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = saved(disk)
    comparing = comparison(disk, tree)
    monkeypatch.setattr(filesystem, "scan", None)  # nothing is listed
    assert scanned(comparing, disk) == ({b"sub"}, {b"a", b"b"})
    assert scanned(comparing, disk / "sub") == (set(), {b"c"})
    for directory in (disk, disk / "sub"):
        assert comparing.find(Node(None, b""), bytes(directory) + b"/") is UNCHANGED
    assert not tree.identities, "one object stands for all that is known of them"
    assert comparing.start_tick == TICK


def test_a_directory_with_a_new_ctime_is_listed(disk: Path) -> None:
    tree = saved(disk)
    (disk / "new").touch()
    comparing = comparison(disk, tree, since_ns=1)
    assert scanned(comparing, disk) == ({b"sub"}, {b"a", b"b", b"new"})
    assert newer(comparing, disk) >= {b"a", b"b", b"new"}


def test_another_directory_at_the_same_place_is_listed(disk: Path) -> None:
    tree = saved(disk)
    (disk / "sub").rename(disk.parent / "away")
    (disk / "sub").mkdir()
    comparing = comparison(disk, tree)
    scanned(comparing, disk)
    assert scanned(comparing, disk / "sub") == (set(), set())
    seen = comparing.find(Node(None, b""), bytes(disk / "sub") + b"/")
    assert seen is not None
    assert seen.identity[1] == (disk / "sub").stat().st_ino


def test_files_with_a_new_ctime_are_newer(disk: Path) -> None:
    tree = saved(disk)
    since = max(p.lstat().st_ctime_ns for p in (disk, *disk.rglob("*"))) + 1

    def is_touched() -> bool:
        os.utime(disk / "b")
        return (disk / "b").stat().st_ctime_ns >= since

    eventually(is_touched)
    comparing = comparison(disk, tree, since)
    scanned(comparing, disk)
    assert newer(comparing, disk) == {b"b"}


def test_what_was_not_saved_is_not_known(disk: Path) -> None:
    comparing = comparison(disk, saved(disk))
    assert comparing.scan(bytes(disk / "sub")) is None, "the one above comes first"
    assert comparing.scan(bytes(disk.parent)) is None
    assert scanned(comparing, disk)
    assert comparing.scan(bytes(disk)) is None, "a later scan is of what is there then"


def test_a_directory_that_is_gone_is_an_error(disk: Path) -> None:
    comparing = comparison(disk, saved(disk))
    scanned(comparing, disk)
    (disk / "sub/c").unlink()
    (disk / "sub").rmdir()
    with pytest.raises(FileNotFoundError):
        comparing.scan(bytes(disk / "sub"))
