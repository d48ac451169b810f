"""The difference by the directory says what the one by rows says, in its order."""

from collections.abc import Iterable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.core.model.changed_names import ChangedNames, names_since
from gamin.core.model.difference import tree_since
from gamin.core.model.node import FILE
from gamin.core.model.subscription import Scope
from gamin.core.model.tree import Tree
from gamin.events import Kind, Row
from testkit.actions.in_memory import Act
from testkit.doubles.engine import Shell
from testkit.examples import examples

NAMES = st.sampled_from([b"a", b"b", b"c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda n: b"/w/" + b"/".join(n))
ACTS = st.one_of(
    st.builds(Act, st.sampled_from(["makedirs", "touch", "rmtree", "unlink"]), PATHS),
    st.builds(Act, st.just("rename"), PATHS, PATHS | st.just(b"/o")),
    st.builds(Act, st.just("rename"), st.just(b"/o"), PATHS),
)


def facts(found: Iterable[Row | ChangedNames]) -> Iterator[tuple[bytes, object, bool]]:
    """Of each row the path, whether it exists and is new, and whether it is a
    directory."""
    for one in found:
        if isinstance(one, Row):
            yield one.path, (one.kind is not Kind.DELETED, one.is_new), one.is_dir
        else:
            # Sorted, what was deleted comes before what took its place.
            for (exists, is_new, is_dir), names in sorted(one.groups.items()):
                for name in names:
                    yield one.prefix + name, (exists, is_new), is_dir


@settings(max_examples=examples(100))
@given(rounds=st.lists(st.lists(ACTS, max_size=3), max_size=10), packs=st.lists(NAMES))
def test_both_say_the_same_from_every_tick_on(
    rounds: list[list[Act]], packs: list[bytes]
) -> None:
    shell = Shell()
    shell.disk.mkdir(b"/w")
    tree = shell.view().subscribe(b"/w", Scope.TREE)
    ticks = []
    for acts in rounds:
        ticks.append(shell.monitor.tree.tick)
        for act in acts:
            act.on(shell)
        shell.settle()
    top = tree.bound_directory
    assert top is not None
    for node in top.subtree():
        if node.name in packs:
            node.pack_history()
            node.pack_names()
    for tick in ticks:
        rows = sorted(facts(tree_since(top, tick)))
        names = list(facts(names_since(top, tick)))
        assert sorted(names) == rows
        for path, fact, _ in names:
            if fact == (True, True):
                last = [each for each in names if each[0] == path][-1]
                assert last[1] == (True, True)


def test_names_that_are_packed_stay_so() -> None:
    tree = Tree()
    tree.mark_listed(tree.root)
    for number in range(40):
        tree.root.names[b"%02d" % number] = FILE
    tree.tick += 1
    tree.touch(tree.root, b"07")
    before = tree.tick
    tree.tick += 1
    for number in (3, 1, 2):
        tree.touch(tree.root, b"%02d" % number)
    tree.root.pack_history()
    tree.root.pack_names()
    (found,) = names_since(tree.root, before)
    assert isinstance(found, ChangedNames)
    assert list(found.groups.values()) == [[b"03", b"01", b"02"]]
    assert tree.root.is_packed
    assert tree.root.packed_history is not None
