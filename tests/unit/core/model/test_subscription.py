import gc
import weakref

import pytest

from gamin.core.model.node import Node
from gamin.core.model.subscription import Audiences, Scope, Subscription
from gamin.core.model.tree import Tree


class Without:
    is_empty = False

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        return path.split(b"/")[-1] == b"skip" or (is_dir and path == b"dirs")


def chain(*names: bytes) -> list[Node]:
    """The root and one directory below the other, all listed."""
    nodes = [Tree().root]
    for name in names:
        child = Node(nodes[-1], name)
        nodes[-1].names[name] = child
        nodes.append(child)
    for node in nodes:
        node.listed = True
    return nodes


def bound(node: Node, scope: Scope, number: int = 1) -> Subscription:
    subscription = Subscription(1, number, node.path(), scope)
    subscription.node = node
    subscription.prefix = node.path_prefix()
    node.subscriptions = {**(node.subscriptions or {}), subscription: None}
    return subscription


def test_a_tree_is_told_of_everything_below_and_a_directory_of_its_entries() -> None:
    _, a, b, c = chain(b"a", b"b", b"c")
    tree, directory = bound(a, Scope.TREE), bound(b, Scope.DIRECTORY)
    audiences = Audiences()
    assert audiences.on(a).subscriptions == (tree,)
    assert set(audiences.on(b).subscriptions) == {directory, tree}
    assert audiences.on(c).subscriptions == audiences.on(c).recursive == (tree,)


def test_a_path_alone_is_told_of_no_entries() -> None:
    _, a = chain(b"a")
    bound(a, Scope.FILE)
    assert Audiences().on(a).subscriptions == ()


def test_equal_audiences_are_the_same_one() -> None:
    _, a, b, c = chain(b"a", b"b", b"c")
    bound(a, Scope.TREE)
    audiences = Audiences()
    assert audiences.on(b) is audiences.on(c)


def test_a_tree_reaches_as_far_as_directories_are_listed() -> None:
    _, a, b, c = chain(b"a", b"b", b"c")
    tree = bound(a, Scope.TREE)
    b.listed = False
    audiences = Audiences()
    assert audiences.on(b).subscriptions == (tree,)
    assert audiences.on(c).subscriptions == ()


def test_a_tree_stops_at_a_mount_point_and_at_what_is_ignored() -> None:
    _, a, b, c = chain(b"a", b"b", b"c")
    tree = bound(a, Scope.TREE)
    tree.excluded_mounts = frozenset([b"/a/b/c"])
    assert Audiences().on(c).subscriptions == ()
    tree.ignore = Without()
    skip = Node(b, b"skip")
    assert Audiences().on(skip).subscriptions == ()


@pytest.mark.parametrize(
    ("path", "is_dir", "admitted"),
    [
        pytest.param(b"/a/x", False, True, id="no rule"),
        pytest.param(b"/a/b/skip", False, False, id="a rule for the name"),
        pytest.param(b"/a/dirs", True, False, id="a rule for directories"),
        pytest.param(b"/a/dirs", False, True, id="which a file does not meet"),
    ],
)
def test_rules_are_asked_with_the_path_below_the_root(
    path: bytes, is_dir: bool, admitted: bool
) -> None:
    _, a = chain(b"a")
    tree = bound(a, Scope.TREE)
    tree.ignore = Without()
    assert tree.covers_entry(path, is_dir) is admitted


def test_audiences_that_nobody_needs_are_not_kept() -> None:
    audiences = Audiences()
    told = weakref.ref(audiences.of((Subscription(1, 1, b"/a", Scope.TREE),), ()))
    gc.collect()
    assert told() is None
    assert audiences.of((), ()) is audiences.nobody


def test_a_tree_of_2000_levels_is_no_problem() -> None:
    nodes = chain(*[b"d"] * 2000)
    tree = bound(nodes[0], Scope.TREE)
    assert Audiences().on(nodes[-1]).subscriptions == (tree,)


def test_a_place_is_a_directory_an_entry_or_nothing() -> None:
    _, a = chain(b"a")
    subscription = Subscription(1, 1, b"/a", Scope.DIRECTORY)
    assert subscription.target == (None, None, 0)
    subscription.node = a
    assert subscription.bound_directory is a
    subscription.entry = b"f"
    assert subscription.bound_directory is None
