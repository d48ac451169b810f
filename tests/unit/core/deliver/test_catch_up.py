"""The rows that bring a client from what it knows to what is there."""

import pytest

from gamin.core.deliver.catch_up import CatchUp, listing_of, path_difference
from gamin.core.deliver.cursor import Cursor
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Place, Scope, Subscription
from gamin.core.model.tree import Tree
from testkit.words import as_words

NODE = Node(Node(None, b""), b"d")
NOWHERE: Place = (None, None, 0)
FOLDER: Place = (NODE, None, 0)
ENTRY: Place = (NODE, b"f", 0)


@pytest.mark.parametrize(
    ("before", "now", "changed", "rows"),
    [
        (NOWHERE, NOWHERE, True, []),
        (NOWHERE, FOLDER, False, ["created it/"]),
        (NOWHERE, ENTRY, False, ["created it"]),
        (FOLDER, NOWHERE, False, ["deleted it/"]),
        (ENTRY, NOWHERE, True, ["deleted it"]),
        (ENTRY, ENTRY, False, []),
        (ENTRY, ENTRY, True, ["changed it"]),
        (ENTRY, FOLDER, False, ["changed it/"]),
    ],
)
def test_the_difference_of_a_single_path(
    before: Place, now: Place, changed: bool, rows: list[str]
) -> None:
    assert as_words(path_difference(before, now, changed)) == rows


class Watched:
    """A tree with /d, /d/f and a subscription to /d."""

    def __init__(self, scope: Scope) -> None:
        self.tree = Tree()
        self.tree.mark_listed(self.tree.root)
        self.node = self.tree.make_child(self.tree.root, b"d", 0)
        self.tree.root.names[b"d"] = self.node
        self.tree.mark_listed(self.node)
        self.node.names[b"f"] = FILE
        self.subscription = Subscription(1, 1, b"/d", scope)
        self.subscription.target.bind(self.node, None)
        self.cursor: Cursor[Place] = Cursor()
        self.catch_up = CatchUp(self.tree)

    def rows(self) -> list[str]:
        return as_words(self.catch_up.rows_to_send(self.subscription, self.cursor))


@pytest.mark.parametrize("scope", [Scope.DIRECTORY, Scope.TREE])
def test_the_first_rows_are_a_listing_and_the_next_the_difference(scope: Scope) -> None:
    watched = Watched(scope)
    assert watched.rows() == ["exists it/", "exists /d/f"]
    assert watched.rows() == []
    watched.tree.tick += 1
    watched.tree.add(watched.node, b"g", FILE)
    assert watched.rows() == ["created /d/g"]
    assert watched.cursor.tick == watched.tree.tick


def test_the_first_row_of_a_path_that_leads_nowhere_is_a_deletion() -> None:
    watched = Watched(Scope.TREE)
    watched.subscription.target.bind(None, None)
    assert watched.rows() == ["deleted it"]


def test_a_client_behind_the_oldest_known_tick_gets_a_full_relisting() -> None:
    watched = Watched(Scope.TREE)
    watched.rows()
    watched.tree.floor = watched.tree.tick + 1
    assert watched.rows() == ["deleted it/", "created it/", "created /d/f"]


def test_a_client_of_another_target_gets_a_full_relisting() -> None:
    watched = Watched(Scope.TREE)
    watched.rows()
    watched.tree.relink(watched.node, watched.tree.root, b"e")
    watched.subscription.target.bind(watched.node, None)
    assert watched.rows() == ["deleted it/", "created it/", "created /e/f"]


def test_the_change_of_a_single_entry_is_reported_once() -> None:
    watched = Watched(Scope.FILE)
    watched.subscription.target.bind(watched.node, b"f")
    assert watched.rows() == ["exists it"]
    watched.tree.tick += 1
    watched.subscription.progress.record_change(watched.tree.tick)
    assert watched.rows() == ["changed it"]
    assert watched.rows() == []


def test_a_path_that_leads_to_no_directory_has_an_empty_listing() -> None:
    watched = Watched(Scope.TREE)
    watched.subscription.target.bind(watched.node, b"f")
    assert list(listing_of(watched.subscription)) == []
