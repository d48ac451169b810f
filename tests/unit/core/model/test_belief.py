"""What is known of the disk survives being written down and read back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.core.model.belief import (
    ALWAYS,
    Belief,
    Dangling,
    changed,
    export,
    export_one,
    restore,
)
from gamin.core.model.difference import everywhere, listing, tree_since
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.tree import Tree
from gamin.events import Row

NAMES = (b"a", b"b", b"\xff")
Act = tuple[str, int, int, bytes, bytes]


def new_tree() -> Tree:
    tree = Tree()
    tree.mark_listed(tree.root)
    return tree


def make(tree: Tree, node: Node, name: bytes, kind: str) -> None:
    if name in node.names:
        return
    if kind == "directory":
        child = tree.make_child(node, name, tree.tick)
        tree.mark_listed(child)
        tree.add(node, name, child)
    else:
        tree.add(node, name, SUBDIR if kind == "subdirectory" else FILE)


def remove(tree: Tree, node: Node, name: bytes) -> None:
    known = node.names.get(name)
    if known is None:
        return
    if isinstance(known, Node):
        for below in reversed(list(known.subtree())):
            for entry in list(below.names):
                tree.remove(below, entry)
            tree.clear(below)
            tree.keep_tombstone(below)
    tree.remove(node, name)


def move(tree: Tree, node: Node, name: bytes, to: Node, new: bytes) -> None:
    known = node.names.get(name)
    if known is None or (isinstance(known, Node) and known.contains(to)):
        return
    if node is to and name == new:
        return
    tree.remove(node, name)
    remove(tree, to, new)
    if isinstance(known, Node):
        tree.relink(known, to, new)
    tree.add(to, new, known)


def act(tree: Tree, verb: str, at: int, to: int, name: bytes, new: bytes) -> None:
    tree.tick += 1
    nodes = list(tree.root.subtree())
    node = nodes[at % len(nodes)]
    if verb == "move":
        move(tree, node, name, nodes[to % len(nodes)], new)
    elif verb == "remove":
        remove(tree, node, name)
    elif verb == "touch":
        if name in node.names:
            tree.touch(node, name)
    else:
        make(tree, node, name, verb)


def is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(is_plain(item) for item in value)
    return isinstance(value, int | bytes)


def rows_of(tree: Tree, top: Node, since: int) -> list[Row]:
    return sorted(tree_since(top, since), key=lambda row: (row.path, row.kind.value))


def names_of(top: Node) -> set[Row]:
    return set(listing(top, everywhere))


acts = st.tuples(
    st.sampled_from(["file", "directory", "subdirectory", "touch", "remove", "move"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
)


@given(st.lists(acts, max_size=40))
def test_a_restored_tree_gives_every_listing_and_difference_that_the_first_one_gives(
    script: list[Act],
) -> None:
    tree = new_tree()
    for verb, at, to, name, new in script:
        act(tree, verb, at, to, name, new)
    belief = export(tree, tree.root)
    assert is_plain(belief)
    again = Tree()
    top = restore(again, None, belief)
    assert again.root is top
    assert export(again, top) == belief
    assert names_of(top) == names_of(tree.root)
    for since in range(tree.tick + 1):
        assert rows_of(again, top, since) == rows_of(tree, tree.root, since)


@given(st.lists(acts, max_size=30), st.lists(acts, max_size=10))
def test_a_restored_tree_goes_on_like_the_first_one(
    before: list[Act], after: list[Act]
) -> None:
    tree = new_tree()
    for one in before:
        act(tree, *one)
    again = Tree()
    restore(again, None, export(tree, tree.root))
    for verb, _, _, name, new in after:
        for each in (tree, again):  # nodes are in another order, but the root is first
            act(each, verb, 0, 0, name, new)
    assert again.tick == tree.tick
    for since in range(tree.tick + 1):
        assert rows_of(again, again.root, since) == rows_of(tree, tree.root, since)


@pytest.fixture
def tree() -> Tree:
    tree = new_tree()
    make(tree, tree.root, b"top", "directory")
    return tree


def directory(node: Node, name: bytes) -> Node:
    child = node.child(name)
    assert child is not None
    return child


def test_a_part_of_a_tree_is_restored_below_another_directory(tree: Tree) -> None:
    top = directory(tree.root, b"top")
    make(tree, top, b"f", "file")
    other = new_tree()
    other.tick = 100
    restored = restore(other, other.root, export(tree, top))
    assert other.root.names == {b"top": restored}
    assert restored.path() == b"/top"
    assert restored.names == {b"f": FILE}
    assert other.tick == 100


def test_names_that_are_packed_stay_packed(tree: Tree) -> None:
    node = Node(tree.root, b"packed")
    tree.root.names[b"packed"] = node
    tree.apply_first_listing(node, [b"one", b"two"])
    belief = export(tree, tree.root)
    assert node.is_packed
    again = Tree()
    restored = directory(restore(again, None, belief), b"packed")
    assert restored.is_packed
    assert restored.packed == b"one/two"


def test_a_directory_that_left_the_exported_part_is_remembered_where_it_was(
    tree: Tree,
) -> None:
    top = directory(tree.root, b"top")
    make(tree, top, b"d", "directory")
    make(tree, directory(top, b"d"), b"f", "file")
    before = tree.tick
    tree.tick += 1
    move(tree, top, b"d", tree.root, b"elsewhere")
    belief = export(tree, top)
    again = new_tree()
    restored = restore(again, again.root, belief)
    deleted = {row.path for row in tree_since(restored, before)}
    assert deleted == {b"/top/d", b"/top/d/f"}


def test_a_directory_that_left_may_be_in_another_one_that_left_later(
    tree: Tree,
) -> None:
    top = directory(tree.root, b"top")
    for name in (b"first", b"second"):
        make(tree, top, name, "directory")
    make(tree, directory(top, b"first"), b"f", "file")
    before = tree.tick
    for name in (b"first", b"second"):
        tree.tick += 1
        move(tree, top, name, tree.root, name)
    second = directory(tree.root, b"second")
    tree.tick += 1
    move(tree, tree.root, b"first", second, b"first")
    belief = export(tree, top)
    assert is_whole(belief)
    again = new_tree()
    restored = restore(again, again.root, belief)
    assert rows_of(again, restored, before) == rows_of(tree, top, before)


@given(st.lists(acts, max_size=30))
def test_a_restored_part_gives_every_difference_that_the_first_one_gives(
    script: list[Act],
) -> None:
    tree = new_tree()
    for one in script:
        act(tree, *one)
    for node in tree.root.subtree():
        belief = export(tree, node)
        assert is_whole(belief)
        restored = restore(Tree(), None, belief)
        for since in range(tree.tick + 1):
            assert differences(restored, since) == differences(node, since)


def differences(top: Node, since: int) -> list[tuple[bytes, str]]:
    """With paths relative to `top`."""
    return sorted(
        (row.path, row.kind.value) for row in tree_since(top, since, prefix=b"")
    )


def is_whole(belief: Belief) -> bool:
    """Every directory leads to ones that are part of it."""
    restore(Tree(), None, belief)
    return True


@given(st.lists(st.lists(acts, max_size=12), max_size=5))
def test_what_changed_completes_what_was_exported_before(
    scripts: list[list[Act]],
) -> None:
    tree = new_tree()
    directories = list(export(tree, tree.root).directories)
    for script in scripts:
        since = tree.tick
        for one in script:
            act(tree, *one)
        directories += [export_one(tree, node) for node in changed(tree.root, since)]
        top = tree.number(tree.root)
        belief = Belief(tree.tick, tree.floor, top, tuple(directories))
        restored = restore(Tree(), None, belief)
        assert names_of(restored) == names_of(tree.root)
        for tick in range(tree.tick + 1):
            assert differences(restored, tick) == differences(tree.root, tick)


def test_of_a_tree_to_which_nothing_happened_nothing_changed(tree: Tree) -> None:
    tree.tick += 1
    assert list(changed(tree.root, tree.tick - 1)) == []
    assert set(changed(tree.root, ALWAYS)) == set(tree.root.subtree())


def test_a_directory_that_is_not_included_is_a_name_only(tree: Tree) -> None:
    top = directory(tree.root, b"top")
    for name in (b"in", b"out"):
        make(tree, top, name, "directory")

    def includes(node: Node) -> bool:
        return node.name != b"out"

    nodes = list(changed(top, ALWAYS, includes))
    assert {node.name for node in nodes} == {b"top", b"in"}
    assert export_one(tree, top, includes).subdirectories == b"out"


def test_a_belief_without_a_directory_that_it_refers_to_is_not_restored(
    tree: Tree,
) -> None:
    belief = export(tree, tree.root)
    for directories in ((), belief.directories[:1], belief.directories[1:]):
        with pytest.raises(Dangling):
            restore(Tree(), None, belief._replace(directories=directories))


def test_wiring_is_not_exported(tree: Tree) -> None:
    top = directory(tree.root, b"top")
    plain = export(tree, top)
    top.wd, top.mask, top.kernel_mask = 7, 1, 1
    top.subscriptions = {object(): None}
    assert export(tree, top) == plain
    again = Tree()
    restored = restore(again, again.root, plain)
    assert (restored.wd, restored.mask, restored.subscriptions) == (-1, 0, None)


def test_an_empty_belief_of_the_root_restores_an_empty_tree() -> None:
    tree = new_tree()
    belief = export(tree, tree.root)
    assert belief == Belief(1, 0, 1, belief.directories)
    again = Tree()
    assert restore(again, None, belief).names == {}
