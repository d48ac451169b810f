"""Who gets the changes of the entries of a directory."""

import gc
import weakref

from gamin.core.model.audiences import Audiences
from gamin.core.model.node import Node
from gamin.core.model.subscription import Ignore, Scope, Subscription
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


def bound(
    node: Node, scope: Scope, number: int = 1, ignore: Ignore | None = None
) -> Subscription:
    subscription = Subscription(1, number, node.path(), scope, ignore=ignore)
    subscription.target.bind(node, None)
    subscription.target.set_prefix(node.path_prefix())
    node.subscriptions = {**(node.subscriptions or {}), subscription: None}
    return subscription


def test_a_tree_gets_everything_below_and_a_directory_its_entries() -> None:
    _, a, b, c = chain(b"a", b"b", b"c")
    tree, directory = bound(a, Scope.TREE), bound(b, Scope.DIRECTORY)
    audiences = Audiences()
    assert audiences.on(a).subscriptions == (tree,)
    assert set(audiences.on(b).subscriptions) == {directory, tree}
    assert audiences.on(c).subscriptions == audiences.on(c).recursive == (tree,)


def test_a_subscription_to_a_path_alone_gets_no_entries() -> None:
    _, a = chain(b"a")
    bound(a, Scope.FILE)
    assert Audiences().on(a).subscriptions == ()


def test_equal_audiences_are_one_object() -> None:
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
    tree = bound(a, Scope.TREE, ignore=Without())
    tree.target.exclude_mounts(frozenset([b"/a/b/c"]))
    assert Audiences().on(c).subscriptions == ()
    assert Audiences().on(Node(b, b"skip")).subscriptions == ()


def test_an_audience_that_nobody_needs_is_not_kept() -> None:
    audiences = Audiences()
    unused = weakref.ref(audiences.of((Subscription(1, 1, b"/a", Scope.TREE),), ()))
    gc.collect()
    assert unused() is None
    assert audiences.of((), ()) is audiences.nobody


def test_the_audience_below_2000_levels_is_found() -> None:
    nodes = chain(*[b"d"] * 2000)
    tree = bound(nodes[0], Scope.TREE)
    assert Audiences().on(nodes[-1]).subscriptions == (tree,)


def test_a_forgotten_audience_is_computed_again() -> None:
    _, a, b = chain(b"a", b"b")
    audiences = Audiences()
    assert not audiences.has_any(b)
    tree = bound(a, Scope.TREE)
    assert not audiences.has_any(b)
    audiences.forget_below(a)
    assert audiences.on(b).subscriptions == (tree,)
