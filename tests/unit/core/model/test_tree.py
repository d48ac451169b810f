from collections.abc import Callable

import pytest

from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.tree import AGING_BATCH, AGING_NAMES, TOUCH_LIMIT, Tree


def tick(tree: Tree) -> int:
    tree.tick += 1
    return tree.tick


def directory(tree: Tree, parent: Node, name: bytes) -> Node:
    node = tree.make_child(parent, name, tree.tick)
    tree.add(parent, name, node)
    node.listed = True
    return node


def known(tree: Tree, name: bytes) -> Node:
    """A directory in the root that was always there."""
    node = tree.root.names[name] = tree.make_child(tree.root, name, 0)
    tree.mark_listed(node)
    return node


def test_a_directory_is_found_by_its_path() -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    b = directory(tree, a, b"b")
    tree.add(b, b"file", FILE)
    assert tree.find(b"/") is tree.root
    assert tree.find(b"/a/b") is b
    assert tree.find(b"/a/b/file") is None
    assert tree.find(b"/a/c/d") is None


def test_an_untouched_entry_has_no_history() -> None:
    tree = Tree()
    tree.root.names[b"a"] = FILE
    assert tree.root.history is None


def test_the_history_of_a_name_is_kept_as_ticks() -> None:
    tree = Tree()
    tree.root.names[b"a"] = FILE
    changed = tick(tree)
    tree.touch(tree.root, b"a")
    assert tree.root.history == {b"a": (changed, 0, 0, 0, False)}
    died = tick(tree)
    tree.remove(tree.root, b"a")
    assert tree.root.history == {b"a": (died, 0, died, 0, False)}
    born = tick(tree)
    tree.add(tree.root, b"a", SUBDIR)
    assert tree.root.history == {b"a": (born, born, died, 0, True)}


def test_histories_are_ordered_by_the_last_touch() -> None:
    tree = Tree()
    tree.add(tree.root, b"a", FILE)
    tree.add(tree.root, b"b", FILE)
    tree.touch(tree.root, b"a")
    assert list(tree.root.history or ()) == [b"b", b"a"]


def test_every_directory_above_knows_the_latest_tick_below_it() -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    b = directory(tree, tree.root, b"b")
    now = tick(tree)
    tree.add(a, b"f", FILE)
    assert (tree.root.latest_tick, a.latest_tick) == (now, now)
    assert b.latest_tick < now


def test_a_directory_that_comes_back_is_revived_with_its_tombstones() -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    tree.add(a, b"f", FILE)
    tree.remove(a, b"f")
    tree.remove(tree.root, b"a")
    tree.keep_tombstone(a)
    assert (tree.root.tombstones or {})[b"a"] is a
    born = tick(tree)
    again = tree.make_child(tree.root, b"a", born)
    assert again is a
    assert again.created_tick == born
    assert b"f" in (again.history or {})
    assert not tree.root.tombstones


def test_a_directory_without_history_leaves_no_tombstone() -> None:
    tree = Tree()
    a = Node(tree.root, b"a")
    tree.keep_tombstone(a)
    assert tree.root.tombstones is None


def test_a_revived_directory_has_the_path_of_its_parent() -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    b = directory(tree, a, b"b")
    tree.add(b, b"f", FILE)
    assert b.path() == b"/a/b"
    tree.remove(a, b"b")
    tree.keep_tombstone(b)
    tree.remove(tree.root, b"a")
    tree.relink(a, tree.root, b"z")
    tree.add(tree.root, b"z", a)
    assert tree.make_child(a, b"b", tick(tree)).path() == b"/z/b"


def test_a_rename_is_one_relink_for_everything_below() -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    b = directory(tree, a, b"b")
    assert b.path() == b"/a/b"
    now = tick(tree)
    tree.remove(tree.root, b"a")
    tree.relink(a, tree.root, b"z")
    tree.add(tree.root, b"z", a)
    assert b.path() == b"/z/b"
    assert a.created_tick == now
    assert ((tree.root.tombstones or {})[b"a"].moved_away) == [(now, a, 0)]


def test_a_deferred_change_gets_the_tick_of_its_report() -> None:
    tree = Tree()
    since = tree.tick
    tick(tree)
    tree.add(tree.root, b"a", FILE)
    reported = tick(tree)
    tree.restamp(tree.root, b"a", since)
    assert tree.root.history == {b"a": (reported, reported, 0, reported, False)}


def test_old_tombstones_are_dropped_once_there_are_many() -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    for number in range(TOUCH_LIMIT + 10):
        name = b"%d" % number
        tick(tree)
        tree.add(a, name, FILE)
        tree.remove(a, name)
        tree.age_out()
    for _ in range(TOUCH_LIMIT // AGING_NAMES):
        tree.age_out()
    assert 0 < tree.floor < tree.tick
    touches = a.history or {}
    assert len(touches) <= TOUCH_LIMIT // 2 + 20
    assert all(touch[0] > tree.floor for touch in touches.values())


def test_tombstones_are_kept_while_there_are_few() -> None:
    tree = Tree()
    tree.add(tree.root, b"a", FILE)
    tree.age_out()
    assert tree.floor == 0


def one_by_one(tree: Tree, node: Node) -> None:
    for name in list(node.names):
        tree.remove(node, name)


@pytest.mark.parametrize("remove", [one_by_one, Tree.remove_all])
def test_removing_all_entries_is_removing_each_of_them(
    remove: Callable[[Tree, Node], None],
) -> None:
    tree = Tree()
    a = directory(tree, tree.root, b"a")
    a.names[b"old"] = FILE
    a.names[b"sub"] = SUBDIR
    born = tick(tree)
    tree.add(a, b"new", FILE)
    tree.add(a, b"gone", FILE)
    gone = tick(tree)
    tree.remove(a, b"gone")
    touches = tree.touches
    died = tick(tree)
    remove(tree, a)
    assert a.names == {}
    assert list((a.history or {}).items()) == [
        (b"gone", (gone, born, gone, born, False)),
        (b"old", (died, 0, died, 0, False)),
        (b"sub", (died, 0, died, 0, True)),
        (b"new", (died, born, died, born, False)),
    ]
    assert tree.touches == touches + 2
    assert tree.root.latest_tick == died
    remove(tree, a)
    assert tree.touches == touches + 2


def test_a_large_tree_ages_some_directories_at_a_time() -> None:
    tree = Tree()
    nodes = []
    for number in range(3 * AGING_BATCH):
        name = b"%d" % number
        node = tree.root.names[name] = tree.make_child(tree.root, name, 0)
        tree.mark_listed(node)
        tree.add(node, b"file", FILE)
        nodes.append(node)
    tree.tick += 1
    tree.age_out()
    tree.touches = TOUCH_LIMIT
    tree.age_out()
    assert tree.floor == tree.tick
    assert 0 < sum(node.history is None for node in nodes) <= AGING_BATCH
    for _ in range(3):
        tree.age_out()
    assert all(node.history is None for node in nodes)
    assert tree.touches == 0


def test_a_large_directory_ages_some_names_at_a_time() -> None:
    tree = Tree()
    small, large = known(tree, b"small"), known(tree, b"large")
    for number in range(2 * AGING_NAMES):
        tree.add(large, b"%d" % number, FILE)
    tree.add(small, b"old", FILE)
    tree.tick += 1
    tree.age_out()
    tree.tick += 1
    tree.touch(large, b"0")
    tree.touches = TOUCH_LIMIT
    sizes = []
    for _ in range(4):
        tree.age_out()
        sizes.append(len(large.history or ()))
    assert sizes[0] == AGING_NAMES
    assert sizes[-1] == 1
    assert large.history == {b"0": (tree.tick, 1, 0, 1, False)}
    assert small.history is None
    assert tree.touches == 1


def test_no_more_names_age_at_a_time_in_several_directories() -> None:
    tree = Tree()
    nodes = [known(tree, b"%d" % number) for number in range(5)]
    for node in nodes:
        for number in range(AGING_NAMES):
            tree.add(node, b"%d" % number, FILE)
    tree.tick += 1
    tree.age_out()
    tree.touches = TOUCH_LIMIT
    for aged in range(1, 6):
        tree.age_out()
        assert sum(node.history is None for node in nodes) == aged
