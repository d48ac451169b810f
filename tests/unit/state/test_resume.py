"""The difference between a saved tree and what is there now."""

from collections.abc import Callable, Collection

import pytest

from gamin.core.model.belief import export, restore
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.state.loading import SavedTree
from gamin.state.resume import Live, Seen, difference
from gamin.state.saved import Header, Identity
from testkit.doubles.disk import Disk
from testkit.doubles.engine import Shell
from testkit.words import as_words

TOP = b"/t"


class Server:
    """A server that watches the tree; every one finds the same directories there."""

    def __init__(self, act: Callable[[Disk], None] = lambda disk: None) -> None:
        """`act` is what happened to the tree before this server came."""
        self.shell = Shell()
        disk = self.shell.disk
        for directory in (b"/t/a/b", b"/t/c"):
            disk.makedirs(directory)
        for file in (b"/t/f", b"/t/a/g", b"/t/a/b/h"):
            disk.touch(file)
        act(disk)
        self.subscription: Subscription = self.shell.view().subscribe(TOP, Scope.TREE)
        top = self.subscription.bound_directory
        assert top is not None
        self.top: Node = top

    def identity(self, node: Node) -> Identity:
        """Made of the path: the same one for every server."""
        return 1, int.from_bytes(node.path(), "big") % (1 << 60)

    @property
    def tick(self) -> int:
        return self.shell.monitor.tree.tick

    def saved(self) -> SavedTree:
        tree = self.shell.monitor.tree
        belief = export(tree, self.top)
        top = restore(Tree(), None, belief)
        there = zip(top.subtree(), self.top.subtree(), strict=True)
        identities = {saved: self.identity(node) for saved, node in there}
        header = Header(self.tick, tree.floor, belief.top, 1, 0)
        return SavedTree(header, top, identities)


def rows(
    after: Callable[[Disk], None] = lambda disk: None,
    *,
    newer: dict[bytes, Collection[bytes]] | None = None,
    others: Collection[bytes] = (),
    unseen: Collection[bytes] = (),
    follows_ignore_files: bool = False,
    since: int = 0,
) -> list[str] | None:
    """What the next server says of the time between. `newer` are the entries with a
    new ctime by directory; `others` are directories that are other ones than before;
    of `unseen` nothing is known. `since` counts from the last tick that was saved."""
    saved = Server().saved()
    now = Server(after)
    seen: dict[Node, Seen] = {}
    for node in now.top.subtree():
        path = node.path()
        if path not in unseen:
            identity = (2, 2) if path in others else now.identity(node)
            seen[node] = Seen(identity, (newer or {}).get(path, ()))
    live = Live(
        now.top,
        b"/t/",
        lambda path: True,
        True,
        follows_ignore_files,
        lambda node, prefix: seen.get(node),
        now.tick,
    )
    found = difference(saved, live, saved.header.tick + since)
    return None if found is None else sorted(as_words(found))


def test_a_tree_to_which_nothing_happened_has_no_difference() -> None:
    assert rows() == []


@pytest.mark.parametrize("since", [1, -1_000_000])
def test_a_clock_that_was_not_saved_or_is_forgotten_has_no_answer(since: int) -> None:
    assert rows(since=since) is None


def test_names_that_came_and_went_are_named() -> None:
    def act(disk: Disk) -> None:
        disk.touch(b"/t/a/new")
        disk.unlink(b"/t/f")

    assert rows(act) == ["created /t/a/new", "deleted /t/f"]


def test_a_directory_comes_and_goes_with_all_that_is_in_it() -> None:
    def act(disk: Disk) -> None:
        disk.rmtree(b"/t/a")
        disk.makedirs(b"/t/d/e")
        disk.touch(b"/t/d/e/i")

    assert rows(act) == [
        "created /t/d/",
        "created /t/d/e/",
        "created /t/d/e/i",
        "deleted /t/a/",
        "deleted /t/a/b/",
        "deleted /t/a/b/h",
        "deleted /t/a/g",
    ]


def test_an_entry_with_a_new_ctime_has_changed() -> None:
    assert rows(newer={b"/t/a": [b"g"], b"/t": [b"gone"]}) == ["changed /t/a/g"]


def test_a_file_in_the_place_of_a_directory_is_another_thing() -> None:
    def act(disk: Disk) -> None:
        disk.rmdir(b"/t/c")
        disk.touch(b"/t/c")

    found = rows(act)
    assert found is not None
    assert "created /t/c" in found


@pytest.mark.parametrize("unknown", [{"others": [b"/t/a"]}, {"unseen": [b"/t/a"]}])
def test_another_directory_shares_nothing_with_the_one_before(
    unknown: dict[str, list[bytes]],
) -> None:
    found = rows(**unknown)  # type: ignore[arg-type]  # of any type
    assert found is not None
    assert {line.split()[1] for line in found} == {"/t/a/b/", "/t/a/b/h", "/t/a/g"}


@pytest.mark.parametrize(
    ("follows", "answer"), [(False, ["created /t/a/.gitignore"]), (True, None)]
)
def test_an_ignore_file_that_came_moves_the_borders_of_a_tree_that_follows_it(
    follows: bool, answer: list[str] | None
) -> None:
    def act(disk: Disk) -> None:
        disk.touch(b"/t/a/.gitignore")

    assert rows(act, follows_ignore_files=follows) == answer


def test_an_ignore_file_that_changed_does_so_too() -> None:
    def act(disk: Disk) -> None:
        disk.touch(b"/t/.gitignore")

    saved = Server(act).saved()
    now = Server(act)
    newer = {now.top: [b".gitignore"]}
    seen = {
        node: Seen(now.identity(node), newer.get(node, ()))
        for node in now.top.subtree()
    }
    live = Live(
        now.top,
        b"/t/",
        lambda path: True,
        True,
        True,
        lambda node, prefix: seen.get(node),
        now.tick,
    )
    assert difference(saved, live, saved.header.tick) is None
