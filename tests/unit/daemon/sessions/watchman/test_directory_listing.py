from collections.abc import Iterator

import pytest

from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.daemon.sessions.watchman import directory_listing
from gamin.daemon.sessions.watchman.directory_listing import folders
from gamin.patterns.ignore_rules import IgnoreRules
from gamin.protocol.watchman.codec.directory_listing import Folder


def listed(found: Iterator[Folder | None]) -> dict[bytes, bytes | None]:
    return dict(filter(None, found))


def directory(parent: Node, name: bytes, **names: bool) -> Node:
    """A directory that is listed, with these entries."""
    node = Node(parent, name)
    node.names = {entry.encode(): known for entry, known in names.items()}
    node.listed = True
    parent.names[name] = node
    return node


def subscription(
    node: Node | None, scope: Scope = Scope.TREE, *globs: bytes
) -> Subscription:
    ignore = IgnoreRules(list(globs), vcs=False) if globs else None
    subscription = Subscription(0, 0, b"/top", scope, ignore=ignore)
    subscription.target.bind(node, None)
    return subscription


def test_every_directory_of_a_tree_has_its_names() -> None:
    top = directory(Node(None, b""), b"top", file=FILE)
    directory(directory(top, b"a"), b"b", deep=FILE)
    assert listed(folders(subscription(top))) == {
        b"": b"file/a",
        b"a": b"b",
        b"a/b": b"deep",
    }


def test_the_root_of_everything_has_no_slash_too_much() -> None:
    root = Node(None, b"")
    root.listed = True
    directory(root, b"a", file=FILE)
    assert listed(folders(subscription(root))) == {b"": b"a", b"a": b"file"}


def test_an_unlisted_subdirectory_is_known_as_a_directory() -> None:
    top = directory(Node(None, b""), b"top", outside=SUBDIR)
    directory(top, b"unlisted").listed = False
    directory(top, b"inside", file=FILE)
    mounted = subscription(top)
    mounted.target.exclude_mounts(frozenset([b"/top/inside"]))
    dark = {b"outside": None, b"unlisted": None, b"inside": None}
    names = b"outside/unlisted/inside"
    assert listed(folders(mounted)) == {b"": names, **dark}
    assert listed(folders(subscription(top, Scope.DIRECTORY))) == {b"": names, **dark}


def test_ignored_entries_are_not_listed() -> None:
    top = directory(Node(None, b""), b"top", kept=FILE, dropped=FILE)
    directory(top, b"build", file=FILE)
    ignoring = subscription(top, Scope.TREE, b"dropped", b"build/")
    assert listed(folders(ignoring)) == {b"": b"kept"}


def test_a_missing_directory_lists_nothing() -> None:
    assert list(folders(subscription(None))) == []


def test_a_listing_that_is_read_slowly_is_that_of_its_tick() -> None:
    """A difference from that tick on follows it."""
    tree = Tree()
    top = directory(tree.root, b"top", file=FILE)
    a, b = directory(top, b"a", old=FILE), directory(top, b"b", other=FILE)
    found, until = folders(subscription(top), tree.tick), tree.tick
    assert next(filter(None, found)) == (b"", b"file/a/b")
    tree.tick += 1
    tree.add(b, b"new", FILE)
    tree.remove(b, b"other")
    tree.remove(top, b"a")
    tree.relink(a, b, b"a")
    tree.add(b, b"a", a)
    assert until < tree.tick
    assert listed(found) == {b"b": b"other", b"a": b"old"}


def test_what_is_replaced_while_a_listing_is_read_is_in_it() -> None:
    """A client that does not know it would leave out that it is gone."""
    tree = Tree()
    top = directory(tree.root, b"top", file=FILE)
    old, other = directory(top, b"old", inside=FILE), directory(top, b"other")
    found = folders(subscription(top), tree.tick)
    tree.tick += 1
    tree.remove(top, b"file")
    tree.add(top, b"file", FILE)
    tree.remove(top, b"old")
    tree.relink(old, other, b"moved")
    tree.add(other, b"moved", old)
    tree.add(top, b"old", directory(Node(None, b""), b"old"))
    names = listed(found)[b""]
    assert names is not None
    assert sorted(names.split(b"/")) == [b"file", b"old", b"other"]


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("globs", [(), (b"*1",)])
def test_a_long_directory_is_listed_some_names_at_a_time(
    is_packed: bool, globs: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_listing, "NAMES_PER_PART", 4)
    monkeypatch.setattr(directory_listing, "PACKED_PER_PART", 8)
    names = [b"%d" % number for number in range(40)]
    tree = Tree()
    top = directory(tree.root, b"top")
    if is_packed:
        top.names = {}
        node = Node(tree.root, b"top")
        tree.root.names[b"top"] = node
        tree.apply_first_listing(node, names)
        top = node
    else:
        top.names = dict.fromkeys(names, FILE)
    found = folders(subscription(top, Scope.TREE, *globs), tree.tick)
    steps = 0
    if not is_packed or globs:
        assert next(found) is None
        steps += 1
        tree.tick += 1
        tree.remove(top, b"39")
        tree.add(top, b"later", FILE)
    left = list(found)
    kept = [name for name in names if not globs or not name.endswith(b"1")]
    assert [each for each in left if each] == [(b"", b"/".join(kept))]
    assert len(left) > 8 or not steps
