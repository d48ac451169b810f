import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.core.model.belief import export
from gamin.core.model.difference import listing, tree_since
from gamin.core.model.node import FILE, Node
from gamin.core.model.packing import (
    MAX_NAMES,
    NAMES_PER_STEP,
    QUIET_SECONDS,
    REST_SECONDS,
    Packing,
)
from gamin.core.model.tree import Tree

NAMES = (b"a", b"b", b"c")
ACTIONS = st.tuples(
    st.sampled_from(("file", "directory", "remove", "touch", "pack", "age", "move")),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    st.sampled_from(NAMES),
)


def step(tree: Tree, action: str, path: list[bytes], name: bytes) -> None:
    """Do what the core does in one operation, where it is possible."""
    tree.tick += 1
    node = tree.find(b"/".join(path[:-1]))
    if node is None or not node.listed:
        return
    known = node.names.get(path[-1])
    if action in ("file", "directory") and known is None:
        if action == "file":
            tree.add(node, path[-1], FILE)
        else:
            child = tree.make_child(node, path[-1], tree.tick)
            tree.add(node, path[-1], child)
            tree.mark_listed(child)
    elif action == "remove" and known is not None:
        if isinstance(known, Node):
            for below in reversed(list(known.subtree())):
                tree.remove_all(below)
                tree.keep_tombstone(below)
        tree.remove(node, path[-1])
    elif action == "touch" and known is not None:
        tree.touch(node, path[-1])
    elif action == "move" and isinstance(known, Node) and name not in node.names:
        tree.remove(node, path[-1])
        tree.relink(known, node, name)
        tree.add(node, name, known)


def pack(tree: Tree) -> None:
    packing = Packing(tree, min_changes=0)
    packing.on_changes(0, 0.0)
    while not packing.due(QUIET_SECONDS):
        tree.tick += 1


def answers(tree: Tree) -> list[object]:
    """All that clients and stores can learn of the tree."""
    differences = [
        list(tree_since(tree.root, tick)) for tick in range(tree.floor, tree.tick + 1)
    ]
    return [
        list(listing(tree.root, lambda path: True)),
        differences,
        export(tree, tree.root),
        [
            [(name, known is not FILE) for name, known in entries.items()]
            for node in tree.root.subtree()
            for entries in [node.published_entries()]
        ],
        tree.touches,
    ]


@given(st.lists(ACTIONS, max_size=30))
def test_a_packed_tree_answers_everything_as_one_that_was_never_packed(
    actions: list[tuple[str, list[bytes], bytes]],
) -> None:
    packed, unpacked = Tree(), Tree()
    for tree in (packed, unpacked):
        tree.mark_listed(tree.root)
    for action, path, name in actions:
        for tree in (packed, unpacked):
            step(tree, action, path, name)
            if action == "age":
                tree.touches = 1_000_000
                tree.age_out()
        if action == "pack":
            pack(packed)
        assert answers(packed) == answers(unpacked)


def listed(names: int) -> tuple[Tree, Packing]:
    """A tree with one directory, in which so many files were changed."""
    tree = Tree()
    tree.apply_first_listing(tree.root, [b"%06d" % number for number in range(names)])
    for number in range(names):
        tree.touch(tree.root, b"%06d" % number)
    return tree, Packing(tree)


def test_few_changes_are_not_packed() -> None:
    _, packing = listed(10)
    packing.on_changes(10, 1.0)
    assert packing.due_at is None
    assert not packing.due(100.0)


def test_everything_is_packed_when_no_change_has_come_for_a_moment() -> None:
    tree, packing = listed(5_000)
    packing.on_changes(5_000, 1.0)
    packing.on_changes(1, 1.5)
    assert packing.due_at == 1.5 + QUIET_SECONDS
    assert not packing.due(1.5)
    assert not tree.root.is_packed
    while not packing.due(2.0):
        tree.tick += 1
    assert packing.due_at is None
    assert tree.root.is_packed
    assert tree.root.packed_history is not None


def test_directories_at_rest_are_packed_while_others_change() -> None:
    tree = Tree()
    tree.mark_listed(tree.root)
    resting, changing = (Node(tree.root, name) for name in (b"resting", b"changing"))
    packing = Packing(tree, min_changes=2)
    for node in (resting, changing):
        tree.add(tree.root, node.name, node)
        tree.apply_first_listing(node, [b"file"])
        tree.touch(node, b"file")
    packing.on_changes(2, 1.0)
    for time in (1.2, 1.4, 1.6, 1.8, 2.0):
        tree.tick += 1
        tree.touch(changing, b"file")
        packing.on_changes(1, time)
    assert packing.due_at == 1.0 + REST_SECONDS
    assert not packing.due(2.0)
    assert resting.is_packed
    assert not changing.is_packed
    assert packing.due_at == 2.0 + QUIET_SECONDS
    assert packing.due(3.0)
    assert changing.is_packed


def test_directories_that_change_in_turn_are_packed_less_and_less_often() -> None:
    tree, packing = listed(100)
    packing = Packing(tree, min_changes=1)
    packing.on_changes(1, 0.0)
    passes: list[float] = []
    for step in range(1, 160):
        now = step / 10
        if packing.due_at is not None and packing.due_at <= now:
            passes.append(now)
            assert not packing.due(now)
            if tree.root.packed_history is not None:
                tree.tick += 1
                tree.touch(tree.root, b"000000")
        packing.on_changes(1, now)
    assert passes == [1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 15.0]
    while not packing.due(20.0):
        tree.tick += 1
    assert tree.root.packed_history is not None
    packing.on_changes(1, 21.0)
    assert packing.due_at == 21.0 + QUIET_SECONDS


def test_a_change_in_a_last_pass_starts_another_one() -> None:
    tree, packing = listed(NAMES_PER_STEP)
    packing.on_changes(5_000, 1.0)
    assert not packing.due(2.0)
    tree.tick += 1
    tree.touch(tree.root, b"000000")
    packing.on_changes(1, 2.0)
    assert tree.root.packed_history is None
    while not packing.due(3.0):
        tree.tick += 1
    assert tree.root.packed_history is not None


def test_reading_a_packed_directory_leaves_it_packed() -> None:
    tree, _ = listed(100)
    pack(tree)
    answers(tree)
    assert tree.root.is_packed
    assert tree.root.packed_history is not None


def test_what_changes_in_a_packed_directory_is_remembered_with_the_rest() -> None:
    tree, _ = listed(3)
    pack(tree)
    tree.tick += 1
    tree.touch(tree.root, b"000001")
    assert list((tree.root.history or {}).items()) == [
        (b"000000", (1, 0, 0, 0, False)),
        (b"000002", (1, 0, 0, 0, False)),
        (b"000001", (2, 0, 0, 0, False)),
    ]


def test_a_very_large_directory_is_not_packed() -> None:
    tree, _ = listed(MAX_NAMES + 1)
    pack(tree)
    assert not tree.root.is_packed
    assert tree.root.packed_history is None


def test_a_directory_with_subdirectories_keeps_its_names_and_packs_its_history() -> (
    None
):
    tree = Tree()
    tree.mark_listed(tree.root)
    tree.add(tree.root, b"d", Node(tree.root, b"d"))
    pack(tree)
    assert not tree.root.is_packed
    assert tree.root.child(b"d") is not None
    assert tree.root.packed_history is not None


@pytest.mark.parametrize("directories", [1, 3])
def test_packing_takes_turns_with_other_work(directories: int) -> None:
    tree = Tree()
    tree.mark_listed(tree.root)
    for number in range(directories):
        child = Node(tree.root, b"%d" % number)
        tree.add(tree.root, child.name, child)
        tree.apply_first_listing(child, [b"%d" % n for n in range(NAMES_PER_STEP)])
        tree.touch(child, b"0")
        assert child.names
    packing = Packing(tree, min_changes=1)
    packing.on_changes(1, 0.0)
    steps = 1
    while not packing.due(1.0):
        tree.tick += 1
        assert packing.due_at is not None
        assert packing.due_at <= 1.0
        steps += 1
    assert steps == directories + 1
    assert all(child.is_packed for child in tree.root.children())
