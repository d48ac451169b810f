"""Renames whose events are older than what the tree knows."""

import pytest

from gamin.config.mounts import Mounts
from gamin.config.policy import Policy
from gamin.core.effects import Scan
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.events import CREATE, IS_DIR, MOVED_FROM, MOVED_TO, Change


@pytest.fixture
def tree() -> tuple[Monitor, Node, Node]:
    """A watched tree /t with a/b in it; the monitor, and the nodes of /t and of a."""
    monitor = Monitor(Policy((), Mounts()))
    top = monitor.coverage.ensure_child(monitor.tree.root, b"t")
    top.wd = 1
    watch = Subscription(1, 1, b"/t", Scope.TREE)
    first = monitor.subscribe(watch, 0.0)
    for effect in first:
        if isinstance(effect, Scan):
            monitor.listed([(effect, [b"a"], (), ())], 0.0)
    a = top.child(b"a")
    assert a is not None
    a.listed = True
    return monitor, top, a


def test_a_directory_that_seems_to_be_moved_into_itself_is_scanned_for(
    tree: tuple[Monitor, Node, Node],
) -> None:
    monitor, top, a = tree
    monitor.changed([Change(a, CREATE | IS_DIR, 0, b"b")], 1.0)
    b = a.child(b"b")
    assert b is not None
    b.listed = True

    effects = monitor.changed(
        [
            Change(top, MOVED_FROM | IS_DIR, 7, b"a"),
            Change(b, MOVED_TO | IS_DIR, 7, b"c"),
        ],
        2.0,
    )

    assert top.child(b"a") is None
    assert {node.path() for node in monitor.tree.root.subtree()} == {b"/", b"/t"}
    explored = [effect.node for effect in effects if isinstance(effect, Scan)]
    assert explored == [top]


def test_the_rename_of_a_file_does_not_move_a_directory_that_took_its_name(
    tree: tuple[Monitor, Node, Node],
) -> None:
    """a was a file, went to c, and a directory was made in its place: a look saw that
    before the events came."""
    monitor, top, _ = tree
    events = [
        Change(top, MOVED_FROM, 7, b"a"),
        Change(top, MOVED_TO, 7, b"c"),
        Change(top, CREATE | IS_DIR, 0, b"a"),
    ]

    effects = monitor.changed(events, 1.0)

    assert top.child(b"c") is None
    assert b"c" in top.names
    a = top.child(b"a")
    assert [e.node for e in effects if isinstance(e, Scan)] == [a]


def test_a_renamed_file_replaces_a_directory_that_is_believed_to_be_there(
    tree: tuple[Monitor, Node, Node],
) -> None:
    monitor, top, a = tree
    monitor.changed([Change(a, CREATE, 0, b"file")], 1.0)
    events = [
        Change(a, MOVED_FROM, 7, b"file"),
        Change(top, MOVED_TO, 7, b"a"),
    ]

    monitor.changed(events, 2.0)

    assert top.child(b"a") is None
    assert b"a" in top.names
