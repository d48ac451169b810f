"""From any moment on, the difference leads from what was to what is."""

from collections.abc import Iterable
from itertools import chain, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.core.model.difference import entries_since, everywhere, listing, tree_since
from gamin.core.model.history import History, unpack_history
from gamin.core.model.node import FILE, SUBDIR, Baseline, Node
from gamin.core.model.subscription import Scope
from gamin.core.model.tree import Tree
from gamin.events import Kind, Row
from testkit.actions.in_memory import Act
from testkit.beliefs.strict import StrictBelief, truth
from testkit.doubles.engine import Shell
from testkit.examples import examples
from testkit.words import as_words

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "touch", "idle"]),
        st.sampled_from([b"a", b"b"]),
    ),
    max_size=12,
)


@given(operations=OPERATIONS, is_there=st.booleans())
def test_the_difference_is_right_after_any_creations_and_deletions(
    operations: list[tuple[str, bytes]], is_there: bool
) -> None:
    tree = Tree()
    tree.root.listed = True
    if is_there:
        tree.root.names[b"a"] = FILE
    past: list[tuple[int, dict[bytes, bool]]] = []
    for verb, name in operations:
        past.append((tree.tick, _entries(tree.root)))
        tree.tick += 1
        is_known = name in tree.root.names
        if verb == "add" and not is_known:
            tree.add(tree.root, name, FILE)
        elif verb in ("remove", "touch") and is_known:
            getattr(tree, verb)(tree.root, name)
    for tick, then in past:
        belief = StrictBelief()
        belief.start(then)
        for row in entries_since(tree.root, tick):
            belief.apply(row, is_belated=True)
        assert belief.entries() == _entries(tree.root)


def _entries(node: Node) -> dict[bytes, bool]:
    return {b"/" + name: known is not FILE for name, known in node.names.items()}


NAMES = st.sampled_from([b"a", b"b"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda n: b"/w/" + b"/".join(n))
ACTS = st.one_of(
    st.builds(Act, st.sampled_from(["makedirs", "touch", "rmtree", "unlink"]), PATHS),
    st.builds(Act, st.just("rename"), PATHS, PATHS | st.just(b"/o")),
    st.builds(Act, st.just("rename"), st.just(b"/o"), PATHS),
)


@settings(max_examples=examples(100))
@given(rounds=st.lists(st.lists(ACTS, max_size=3), max_size=10))
def test_the_difference_of_a_tree_is_right_from_every_tick_on(
    rounds: list[list[Act]],
) -> None:
    shell = Shell()
    shell.disk.mkdir(b"/w")
    tree = shell.view().subscribe(b"/w", Scope.TREE)
    past = []
    for acts in rounds:
        past.append((shell.monitor.tree.tick, truth(shell.disk, tree)))
        for act in acts:
            act.on(shell)
        shell.settle()
    for tick, then in past:
        belief = StrictBelief()
        belief.start(then)
        rows = shell.rows_since(tree, tick) or []
        for row in rows:
            belief.apply(row, is_belated=True)
        assert belief.entries() == truth(shell.disk, tree)
        assert set(then) - set(belief.entries()) <= deleted(rows)


def deleted(rows: Iterable[Row]) -> set[bytes]:
    """What the rows say is gone. Whoever asks what changed gets names, and nobody says
    to him that what is below a directory went with it."""
    return {row.path for row in rows if row.kind is Kind.DELETED}


@settings(max_examples=examples(100))
@given(
    before=st.lists(ACTS, min_size=8, max_size=8),
    later=st.lists(ACTS, max_size=8),
    meanwhile=st.lists(st.tuples(st.integers(0, 3), ACTS), min_size=3, max_size=8),
    is_listing=st.booleans(),
)
def test_a_difference_that_is_read_while_things_change_is_completed_by_a_second_one(
    before: list[Act],
    later: list[Act],
    meanwhile: list[tuple[int, Act]],
    is_listing: bool,
) -> None:
    shell = Shell()
    shell.disk.makedirs(b"/w/a/b")
    tree = shell.view().subscribe(b"/w", Scope.TREE)

    def do(*acts: Act) -> None:
        for act in acts:
            act.on(shell)
            shell.settle()

    do(*before)
    since, then = shell.monitor.tree.tick, truth(shell.disk, tree)
    do(*later)
    until = shell.monitor.tree.tick
    belief = StrictBelief()
    if is_listing:
        belief.created(b"", True)
        rows = iter(shell.monitor.listing(tree, until))
    else:
        belief.start(then)
        rows = iter(shell.monitor.changes_since(tree, since, until) or ())
    taken: list[Row] = []
    for count, act in meanwhile:
        taken += islice(rows, count)
        do(act)
    taken += chain(rows, shell.rows_since(tree, until) or ())
    for row in taken:
        belief.apply(row, is_belated=True)
    assert belief.entries() == truth(shell.disk, tree)
    if not is_listing:
        assert set(then) - set(belief.entries()) <= deleted(taken)


def story(shell: Shell, act: Act, *more: Act) -> list[str]:
    """What a clock of before these acts gives of /w afterwards."""
    tree = shell.clients[-1].subscriptions[0]
    tick = shell.monitor.tree.tick
    for each in (act, *more):
        each.on(shell)
        shell.settle()
    return as_words(shell.rows_since(tree, tick) or ())


def test_what_was_in_a_directory_renamed_in_one_that_was_removed_is_gone_by_both() -> (
    None
):
    shell = watched(b"/w/a/b/c")
    acts = Act("rename", b"/w/a/b", b"/w/a/x"), Act("rmtree", b"/w/a")
    gone = {word.split()[1].rstrip("/") for word in story(shell, *acts)}
    assert gone >= {"/w/a", "/w/a/b", "/w/a/b/c"}


def watched(*paths: bytes) -> Shell:
    shell = Shell()
    for path in paths:
        shell.disk.makedirs(path)
    shell.view().subscribe(b"/w", Scope.TREE)
    return shell


def test_an_entry_created_and_deleted_since_gives_no_row() -> None:
    made, gone = Act("touch", b"/w/f"), Act("unlink", b"/w/f")
    assert story(watched(b"/w"), made, gone) == []


def test_an_entry_deleted_and_created_since_gives_both_rows() -> None:
    shell = watched(b"/w")
    shell.disk.touch(b"/w/f")
    shell.settle()
    gone, made = Act("unlink", b"/w/f"), Act("touch", b"/w/f")
    assert story(shell, gone, made) == ["deleted /w/f", "created /w/f"]


def test_an_entry_changed_many_times_gives_one_row() -> None:
    shell = watched(b"/w")
    shell.disk.touch(b"/w/f")
    shell.settle()
    write = Act("write", b"/w/f")
    assert story(shell, write, write, write) == ["changed /w/f"]


def test_deletions_come_children_first_and_creations_parents_first() -> None:
    shell = watched(b"/w/a/b")
    assert story(shell, Act("rmtree", b"/w/a"), Act("makedirs", b"/w/c/d")) == [
        "deleted /w/a/b/",
        "deleted /w/a/",
        "created /w/c/",
        "created /w/c/d/",
    ]


def test_a_renamed_directory_is_gone_from_one_place_and_new_at_the_other() -> None:
    shell = watched(b"/w/a/b")
    assert story(shell, Act("rename", b"/w/a", b"/w/z")) == [
        "deleted /w/a/b/",
        "deleted /w/a/",
        "created /w/z/",
        "created /w/z/b/",
    ]


def test_a_directory_renamed_away_and_back_is_deleted_and_created() -> None:
    away, back = Act("rename", b"/w/a", b"/w/z"), Act("rename", b"/w/z", b"/w/a")
    belief = StrictBelief()
    shell = watched(b"/w/a/b")
    tree = shell.clients[0].subscriptions[0]
    belief.start(truth(shell.disk, tree))
    tick = shell.monitor.tree.tick
    story(shell, away, Act("rmdir", b"/w/z/b"), back)
    for row in shell.rows_since(tree, tick) or ():
        belief.apply(row, is_belated=True)
    assert belief.entries() == {b"": True, b"/w/a": True}


def test_a_directory_that_is_not_covered_is_left_out() -> None:
    tree = Tree()
    for name in (b"in", b"out"):
        tree.tick += 1
        child = tree.make_child(tree.root, name, tree.tick)
        tree.add(tree.root, name, child)
        child.listed = True
        tree.add(child, b"f", SUBDIR)
    tree.root.listed = True
    rows = as_words(tree_since(tree.root, 1, lambda path: path != b"/out"))
    assert rows == ["created /in/", "created /out/", "created /in/f/"]
    assert len(list(tree_since(tree.root, 1, everywhere))) == 4


def test_a_listing_has_everything_that_is_known() -> None:
    tree = Tree()
    a = Node(tree.root, b"a")
    tree.root.names.update({b"a": a, b"f": FILE})
    a.names[b"b"] = Node(a, b"b")
    tree.root.listed = True
    assert as_words(listing(tree.root, everywhere)) == ["exists /a/", "exists /f"]
    a.listed = True
    assert as_words(listing(tree.root)) == ["exists /a/", "exists /f"]
    assert as_words(listing(tree.root, everywhere))[2:] == ["exists /a/b/"]
    assert all(row.kind is Kind.EXISTS for row in listing(tree.root))


def test_the_difference_of_2000_levels_is_found() -> None:
    tree = Tree()
    tree.tick = 5
    top = node = tree.make_child(tree.root, b"d", 5)
    tree.add(tree.root, b"d", top)
    for _ in range(2000):
        child = tree.make_child(node, b"d", 5)
        node.listed = True
        tree.add(node, b"d", child)
        node = child
    assert len(list(tree_since(tree.root, 4))) == 2001
    tree.remove(tree.root, b"d")
    tree.keep_tombstone(top)
    assert len(list(tree_since(tree.root, 4))) == 2000


def test_a_deferred_entry_is_shown_as_other_clients_know_it() -> None:
    tree = Tree()
    tree.root.listed = True
    before = tree.tick
    tree.tick += 1
    tree.add(tree.root, b"a", FILE)
    assert tree.root.history is not None
    known = Baseline(False, True, tree.tick, tree.root.history[b"a"])
    tree.tick += 1
    tree.root.deferred = {b"a": known}
    tree.remove(tree.root, b"a")
    assert list(entries_since(tree.root, before)) == [
        Row(Kind.CREATED, b"/a", False, None, True)
    ]
    assert list(entries_since(tree.root, before + 1)) == []


def test_a_directory_known_to_others_is_new_where_a_rename_brings_it() -> None:
    shell = Shell()
    shell.disk.makedirs(b"/w/c")
    shell.disk.touch(b"/w/c/f")
    shell.v1().subscribe(b"/w/c", Scope.DIRECTORY)
    shell.disk.chmod(b"/w", 0o000)
    shell.view().subscribe(b"/w", Scope.TREE)
    assert story(shell, Act("unlock", b"/w")) == [
        "created /w/c/",
        "created /w/c/f",
    ]


def test_a_directory_that_came_back_is_deleted_and_created() -> None:
    away, back = Act("rename", b"/w/a", b"/w/z"), Act("rename", b"/w/z", b"/w/a")
    reported = story(watched(b"/w/a/b"), away, back)
    for path in ("/w/a/", "/w/a/b/"):
        assert reported.index(f"deleted {path}") < reported.index(f"created {path}")


def test_all_of_a_directory_that_left_is_deleted_whatever_took_its_place() -> None:
    left, made = Act("rename", b"/w/a", b"/w/z"), Act("makedirs", b"/w/a")
    reported = story(watched(b"/w/a/b"), left, made, Act("rmtree", b"/w/a"))
    assert "deleted /w/a/b/" in reported


def test_the_history_of_a_directory_is_unpacked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = Tree()
    tree.mark_listed(tree.root)
    tree.tick += 1
    tree.add(tree.root, b"sub", tree.make_child(tree.root, b"sub", tree.tick))
    tree.add(tree.root, b"file", FILE)
    tree.root.pack_history()
    unpacked = []

    def count(packed: bytes) -> dict[bytes, History]:
        unpacked.append(packed)
        return unpack_history(packed)

    monkeypatch.setattr("gamin.core.model.node.unpack_history", count)
    assert as_words(tree_since(tree.root, 1)) == ["created /sub/", "created /file"]
    assert len(unpacked) == 1
