"""A large directory that is gone is removed in slices, and reported in order."""

import pytest

from gamin.core.apply.removals import MAX_NAMES_AT_ONCE, is_large
from gamin.core.effects import Remove
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.core.model.tree import Tree
from gamin.events import CREATE, DELETE, IS_DIR, MOVED_FROM, MOVED_TO, Change
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.words import as_words
from tests.unit.core.apply.pieces import EVERYTHING, Pieces, words


def test_a_large_directory_is_removed_some_entries_at_a_time(pieces: Pieces) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    seen = words(effects)
    slices = 0
    while any(isinstance(each, Remove) for each in effects):
        effects = pieces.go_on(effects)
        slices += 1
        assert len(words(effects)) <= 8
        seen += words(effects)
    assert slices > 2
    assert set(seen) == EVERYTHING
    assert len(seen) == len(EVERYTHING)
    assert seen[-1] == "deleted /d/big/"
    assert seen.index("deleted /d/big/sub/") > seen.index("deleted /d/big/sub/5")


def test_a_subscriber_that_comes_in_between_gets_what_is_left(
    shell: Shell, pieces: Pieces
) -> None:
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    left = {row.path for row in pieces.monitor.listing(pieces.subscription)}
    assert b"/d/big" in left
    seen: list[str] = []
    while any(isinstance(each, Remove) for each in effects):
        effects = pieces.go_on(effects)
        seen += words(effects)
    assert {word.split()[1].strip("/").encode() for word in seen} == {
        path.strip(b"/") for path in left
    }


def test_a_query_waits_until_all_of_it_is_removed(shell: Shell, tree: View) -> None:
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    shell.synchronise()
    [subscription] = shell.monitor.subscriptions
    assert shell.bring_up_to_date(subscription)
    assert not list(shell.monitor.listing(subscription))


def test_what_takes_the_name_is_reported_after_all_deletions(pieces: Pieces) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    assert not words(pieces.changed(CREATE))
    seen = pieces.end(effects)
    assert seen[-2:] == ["deleted /d/big/", "created /d/big"]
    assert set(seen) == EVERYTHING | {"created /d/big"}
    assert words(pieces.changed(DELETE)) == ["deleted /d/big"]


def test_what_takes_the_name_and_goes_again_is_not_reported(pieces: Pieces) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    assert not words(pieces.changed(CREATE | IS_DIR))
    assert not words(pieces.changed(DELETE | IS_DIR))
    assert sorted(pieces.end(effects)) == sorted(EVERYTHING)
    assert words(pieces.changed(CREATE)) == ["created /d/big"]


def test_a_directory_that_is_back_is_scanned_when_all_of_it_is_removed(
    shell: Shell, tree: View, pieces: Pieces
) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    effects += pieces.changed(MOVED_TO | IS_DIR)
    shell.do(effects)
    shell.run_once()
    seen = as_words(tree.rows())
    back = {word.replace("deleted", "created") for word in EVERYTHING}
    assert seen[len(EVERYTHING) - 1 :][:2] == ["deleted /d/big/", "created /d/big/"]
    assert set(seen[: len(EVERYTHING)]) == EVERYTHING
    assert set(seen[len(EVERYTHING) :]) == back
    shell.disk.touch(b"/d/big/sub/later")
    shell.run_once()
    assert as_words(tree.rows()) == ["created /d/big/sub/later"]


def test_a_scan_finds_what_took_the_name(shell: Shell, tree: View) -> None:
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    shell.drain()
    assert shell.monitor.is_removing
    shell.kernel.inotify.choke()
    shell.disk.touch(b"/d/big")
    shell.settle()
    seen = as_words(tree.rows())
    assert sorted(seen) == sorted([*EVERYTHING, "created /d/big"])
    assert seen[-2:] == ["deleted /d/big/", "created /d/big"]


def test_a_file_that_is_renamed_to_the_name_comes_after_all_deletions(
    shell: Shell, pieces: Pieces
) -> None:
    pieces.changed(CREATE, b"file")
    effects = pieces.changed(DELETE | IS_DIR)
    renamed = [
        Change(pieces.directory, MOVED_FROM, 7, b"file"),
        Change(pieces.directory, MOVED_TO, 7, b"big"),
    ]
    assert words(pieces.monitor.changed(renamed, shell.now)) == ["deleted /d/file"]
    assert pieces.end(effects)[-2:] == ["deleted /d/big/", "created /d/big"]


def test_what_took_the_name_is_renamed_before_all_of_it_is_removed(
    shell: Shell, pieces: Pieces
) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    pieces.changed(CREATE)
    renamed = [
        Change(pieces.directory, MOVED_FROM, 7, b"big"),
        Change(pieces.directory, MOVED_TO, 7, b"other"),
    ]
    assert words(pieces.monitor.changed(renamed, shell.now)) == ["created /d/other"]
    assert sorted(pieces.end(effects)) == sorted(EVERYTHING)


def test_a_probe_that_finds_what_took_the_name_has_the_rest_removed_first(
    shell: Shell, pieces: Pieces
) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    entries = pieces.monitor._changes.entries
    entries.on_probed(pieces.directory, b"big", False)
    seen = words(pieces.monitor.due(shell.now))
    assert seen[-2:] == ["deleted /d/big/", "created /d/big"]
    assert not pieces.end(effects)


def test_what_is_renamed_out_of_it_meanwhile_stays(
    shell: Shell, pieces: Pieces
) -> None:
    sub = pieces.monitor.tree.find(b"/d/big/sub")
    assert sub is not None
    effects = pieces.changed(DELETE | IS_DIR)
    renamed = [
        Change(sub.parent, MOVED_FROM | IS_DIR, 7, b"sub"),
        Change(pieces.directory, MOVED_TO | IS_DIR, 7, b"sub"),
    ]
    seen = words(pieces.monitor.changed(renamed, shell.now))
    assert seen == ["moved /d/big/sub/ /d/sub/"]
    while any(isinstance(each, Remove) for each in effects):
        effects = pieces.go_on(effects)
    names = {row.path for row in pieces.monitor.listing(pieces.subscription)}
    assert names >= {b"/d/sub", b"/d/sub/0", b"/d/sub/deep"}
    assert b"/d/big" not in names


def test_what_is_removed_in_it_meanwhile_is_reported_once(
    shell: Shell, pieces: Pieces
) -> None:
    big = pieces.monitor.tree.find(b"/d/big")
    effects = pieces.changed(DELETE | IS_DIR)
    seen = words(effects)
    effects = pieces.go_on(effects)
    seen += words(effects)
    assert big is not None
    assert pieces.monitor.tree.find(b"/d/big/sub") is not None
    change = Change(big, DELETE | IS_DIR, 0, b"sub")
    others = pieces.monitor.changed([change], shell.now)
    seen += words(others)
    for left in (others, effects):
        while any(isinstance(each, Remove) for each in left):
            left = pieces.go_on(left)
            seen += words(left)
    assert sorted(seen) == sorted(EVERYTHING)


def test_a_directory_that_came_back_with_the_one_above_stays(
    shell: Shell, tree: View, pieces: Pieces
) -> None:
    big = pieces.monitor.tree.find(b"/d/big")
    assert big is not None
    change = Change(big, DELETE | IS_DIR, 0, b"sub")
    left = pieces.monitor.changed([change], shell.now)
    assert pieces.monitor.is_removing
    shell.do(pieces.changed(DELETE | IS_DIR))
    shell.do(pieces.changed(CREATE | IS_DIR))  # the same names are there again
    shell.run_once()
    listed = {row.path for row in pieces.monitor.listing(pieces.subscription)}
    assert listed >= {b"/d/big/sub", b"/d/big/sub/0", b"/d/big/sub/deep"}
    assert pieces.monitor.tree.find(b"/d/big/sub") is not None
    assert not words(pieces.go_on(left))
    assert not pieces.monitor.is_removing
    again = {row.path for row in pieces.monitor.listing(pieces.subscription)}
    assert again == listed


@pytest.fixture
def other(shell: Shell, pieces: Pieces) -> View:
    """A second client, which sees only the names in /d."""
    view = shell.view()
    view.subscribe(b"/d", Scope.DIRECTORY)
    view.rows()
    return view


def test_a_deletion_is_reported_to_others_when_the_tree_ends_in_between(
    shell: Shell, pieces: Pieces, other: View
) -> None:
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    assert words(pieces.go_on(effects)) == ["deleted /d/big/"]
    assert not pieces.monitor.is_removing
    [left] = pieces.monitor.subscriptions
    assert not list(pieces.monitor.listing(left))


def test_a_tree_that_ends_and_begins_again_in_between_has_nothing_that_is_gone(
    shell: Shell, tree: View, pieces: Pieces, other: View
) -> None:
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    later = shell.view()
    later.subscribe(b"/d", Scope.TREE)
    shell.do(effects)
    shell.run_once()
    for subscription in pieces.monitor.subscriptions:
        assert not list(pieces.monitor.listing(subscription))


def test_what_takes_the_name_after_the_tree_ended_is_reported_after_the_deletion(
    shell: Shell, pieces: Pieces, other: View
) -> None:
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    assert not words(pieces.changed(CREATE | IS_DIR))
    assert pieces.end(effects) == ["deleted /d/big/", "created /d/big/"]
    [left] = pieces.monitor.subscriptions
    assert [row.path for row in pieces.monitor.listing(left)] == [b"/d/big"]


def test_what_is_saved_has_nothing_that_is_gone(shell: Shell, pieces: Pieces) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    seen = words(effects)
    effects = pieces.go_on(effects)
    seen += words(effects)
    assert pieces.monitor.is_removing
    seen += words(pieces.monitor.flush_pending(shell.now))
    assert set(seen) == EVERYTHING
    assert len(seen) == len(EVERYTHING)
    assert not pieces.directory.entries
    assert not pieces.monitor.is_removing
    assert not words(pieces.go_on(effects))


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_a_removal_that_failed_goes_on_after_the_rescan(
    shell: Shell, tree: View, slices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = shell.monitor._changes.entries
    remove_some, calls = entries.remove_some, 0

    def fail_once(node: Node, most: int, *, recovered: bool) -> int:
        nonlocal calls
        calls += 1
        if calls == slices:
            raise MemoryError
        return remove_some(node, most, recovered=recovered)

    monkeypatch.setattr(entries, "remove_some", fail_once)
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    with pytest.raises(MemoryError):
        shell.run_once()
    shell.settle()
    assert shell.monitor.recovery.rescans == 1
    [subscription] = shell.monitor.subscriptions
    assert not list(shell.monitor.listing(subscription))
    assert not shell.monitor.is_removing
    seen = as_words(tree.rows())
    assert set(seen) == EVERYTHING
    assert len(seen) == len(EVERYTHING)


def test_a_failure_after_the_last_slice_is_made_good(
    shell: Shell, tree: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = shell.monitor._changes.entries
    remove_entry, calls = entries.remove_entry, iter([MemoryError])

    def fail_once(node: Node, name: bytes, *, recovered: bool = False) -> None:
        for error in calls:
            raise error
        remove_entry(node, name, recovered=recovered)

    monkeypatch.setattr(entries, "remove_entry", fail_once)
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    with pytest.raises(MemoryError):
        shell.run_once()
    shell.settle()
    assert not shell.monitor.is_removing
    assert sorted(as_words(tree.rows())) == sorted(EVERYTHING)


def test_the_watches_of_what_is_removed_end(shell: Shell, tree: View) -> None:
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    shell.run_once()
    assert set(as_words(tree.rows())) == EVERYTHING
    shell.disk.touch(b"/elsewhere/big/sub/later")
    shell.run_once()
    assert not tree.rows()


def test_a_small_directory_is_removed_in_one_go() -> None:
    tree = Tree()
    node = Node(tree.root, b"small")
    node.pack([b"%d" % number for number in range(100)])
    assert not is_large(node)
    node.pack([b"%d" % number for number in range(MAX_NAMES_AT_ONCE + 1)])
    assert is_large(node)
    assert node.is_packed
