"""Computes the rows that lead one client from what it knows to the present state.

They answer a first listing, a client that is behind, and a question about the past.
"""

from collections.abc import Iterable
from itertools import chain

from gamin.core.deliver.cursor import Cursor
from gamin.core.model.difference import NOW, entries_since, listing, tree_since
from gamin.core.model.subscription import Place, Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.events import Kind, Row


class CatchUp:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def rows_to_send(
        self, subscription: Subscription, cursor: Cursor[Place]
    ) -> Iterable[Row]:
        """Everything from what its client knows to what is there; the client counts as
        up to date afterwards. The rows of a single directory are made as they are
        taken, from what is there when the first two are."""
        progress, place = subscription.progress, subscription.target.place
        sent = cursor.target
        rows: Iterable[Row]
        if sent is None:
            rows = self._initial_rows(subscription)
        elif subscription.scope is Scope.FILE:
            changed = progress.last_change > cursor.tick
            rows = path_difference(sent, place, changed)
        elif sent != place or cursor.tick < self._tree.floor:
            rows = self._full_relisting(subscription, sent)
        else:
            rows = rows_since(subscription, cursor.tick)
        if subscription.scope is Scope.TREE:
            rows = list(rows)
        progress.announce(place)
        cursor.catch_up(self._tree.tick, place)
        return rows

    def _initial_rows(self, subscription: Subscription) -> Iterable[Row]:
        node = subscription.bound_directory
        kind = Kind.DELETED if subscription.node is None else Kind.EXISTS
        rows = [Row(kind, b"", node is not None)]
        if node is not None and subscription.scope is not Scope.FILE:
            return chain(rows, listing_of(subscription))
        return rows

    def _full_relisting(self, subscription: Subscription, sent: Place) -> Iterable[Row]:
        """The path leads to another directory, or too much was forgotten to say what
        is different: all that was is gone, and all that is is new."""
        rows = []
        if sent[0] is not None:
            rows.append(Row(Kind.DELETED, b"", True))
        if subscription.bound_directory is not None:
            rows.append(Row(Kind.CREATED, b"", True))
            there = listing_of(subscription)
            return chain(rows, (row._replace(kind=Kind.CREATED) for row in there))
        return rows


def rows_since(
    subscription: Subscription, since: int, until: int = NOW
) -> Iterable[Row]:
    """What happened after the tick `since`, if the path led where it leads now; lazily.
    `until` as in `difference`."""
    node = subscription.bound_directory
    if node is None:
        last_change = subscription.progress.last_change
        changed = subscription.node is not None and last_change > since
        return [Row(Kind.CHANGED, b"", False)] if changed else []
    if subscription.scope is Scope.DIRECTORY:
        return entries_since(node, since, until=until)
    covers = subscription.covers_directory
    return tree_since(node, since, covers, until=until)


def listing_of(subscription: Subscription, until: int = NOW) -> Iterable[Row]:
    """Every entry that the subscription covers, as EXISTS rows; lazily. `until` as in
    `difference`."""
    node = subscription.bound_directory
    if node is None:
        return ()
    is_tree = subscription.scope is Scope.TREE
    covers = subscription.covers_directory if is_tree else None
    return listing(node, covers, until)


def path_difference(before: Place, now: Place, changed: bool) -> list[Row]:
    """What happened to a single path, from where it led before and leads now.

    `changed` says that the content of what is there changed.
    """
    was, is_ = before[0] is not None, now[0] is not None
    is_dir = is_ and now[1] is None
    if was and not is_:
        return [Row(Kind.DELETED, b"", before[1] is None)]
    if is_ and not was:
        return [Row(Kind.CREATED, b"", is_dir)]
    if is_ and (changed or before != now):
        return [Row(Kind.CHANGED, b"", is_dir)]
    return []
