"""A scan of every directory of a watched tree, in slices."""

import os
import time
from pathlib import Path

import pytest

from gamin.core.model.subscription import Subscription
from gamin.daemon.sessions.watchman.tree_scan import ENTRIES_PER_STEP, TreeScan
from testkit.sessions import Home

FAR_NS = 1 << 62
"""A real time that no test lives to see."""
QUERY = {"fields": ["name"], "watch": True}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    for name in ("old", "a/old"):
        (tree / name).touch()
    return tree


def watched(server: Home, tree: Path, **options: object) -> Subscription:
    peer = server.watcher()
    peer.ask("subscribe", str(tree), "s", {**QUERY, **options})
    (root,) = server.watchman.roots.all
    return root.subscription


def scanned(subscription: Subscription, since_ns: int) -> dict[bytes, set[bytes]]:
    """The newer entries of every directory that was seen."""
    scan = TreeScan(subscription, since_ns, 0)
    scan.finish()
    return {node.path(): set(seen.newer) for node, seen in scan.seen.items()}


def test_every_directory_of_the_tree_is_seen(server: Home, tree: Path) -> None:
    found = scanned(watched(server, tree), FAR_NS)
    expected = [tree, tree / "a", tree / "a/b"]
    assert found == {bytes(path): set() for path in expected}


def test_the_directory_alone_where_nothing_below_it_is_watched(
    server: Home, tree: Path
) -> None:
    found = scanned(watched(server, tree, recursive=False), FAR_NS)
    assert list(found) == [bytes(tree)]


def test_identities_are_those_of_the_directories(server: Home, tree: Path) -> None:
    scan = TreeScan(watched(server, tree), FAR_NS, 0)
    scan.finish()
    inodes = {seen.identity[1] for seen in scan.seen.values()}
    paths = (tree, tree / "a", tree / "a/b")
    assert inodes == {path.stat().st_ino for path in paths}


def test_files_that_changed_since_are_named_and_directories_are_not(
    server: Home, tree: Path
) -> None:
    subscription = watched(server, tree)
    latest = max(path.stat().st_ctime_ns for path in [tree, *tree.rglob("*")])
    since = latest + 1
    while time.time_ns() <= since or (tree / "a/old").stat().st_ctime_ns < since:
        os.utime(tree / "a/old")  # until the clock of the file system has moved
    found = scanned(subscription, since)
    assert found == {
        bytes(tree): set(),
        bytes(tree / "a"): {b"old"},
        bytes(tree / "a/b"): set(),
    }


def test_a_directory_that_is_gone_by_now_is_not_seen(server: Home, tree: Path) -> None:
    subscription = watched(server, tree)
    (tree / "a/b").rmdir()
    assert bytes(tree / "a/b") not in scanned(subscription, 1)


def test_a_large_directory_takes_several_steps(server: Home, tree: Path) -> None:
    for number in range(ENTRIES_PER_STEP + 1):
        (tree / "a/b" / str(number)).touch()
    subscription = watched(server, tree)
    scan = TreeScan(subscription, 1, 0)
    assert sum(1 for _ in scan.steps) == 3 + 1
    assert max(len(seen.newer) for seen in scan.seen.values()) == ENTRIES_PER_STEP + 1
