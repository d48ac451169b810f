"""Something takes the name of a large directory whose deletion is being reported."""

from gamin.core.deliver.details import RENAMED
from gamin.core.effects import Effect, Remove, Scan
from gamin.core.model.node import FILE
from gamin.core.model.subscription import Scope
from gamin.events import CREATE, DELETE, IS_DIR, MOVED_FROM, MOVED_TO, Change
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.words import as_words
from tests.unit.core.apply.pieces import EVERYTHING, SLICE_ROWS, Pieces, words


def found(
    pieces: Pieces, directories: list[bytes], others: list[bytes]
) -> list[Effect]:
    """A rescan after a loss finds just these names in /d, all of them changed."""
    names = [*directories, *others]
    listing = Scan(pieces.directory, None, 1), directories, others, names
    return pieces.monitor.listed([listing], pieces.shell.now)


def until_little_is_left(pieces: Pieces, effects: list[Effect]) -> list[Effect]:
    """Remove /d/big until it would be removed in one go, were it found gone now."""
    big = pieces.directory.child(b"big")
    assert big is not None
    while len(list(big.subtree())) > 1 or len(big.names) > 2:
        effects = pieces.go_on(effects)
    assert pieces.monitor.is_removing
    return effects


def test_a_rescan_that_finds_a_file_with_the_name_reports_it_after_all_deletions(
    pieces: Pieces,
) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    effects = found(pieces, [], [b"big"])
    assert not words(effects)
    seen = pieces.end(effects)
    assert set(seen[:-2]) | {seen[-2]} == EVERYTHING
    assert seen[-2:] == ["deleted /d/big/", "created /d/big"]
    assert len(seen) == len(EVERYTHING) + 1


def test_a_rescan_that_finds_a_directory_with_the_name_has_it_listed_after_that(
    shell: Shell, tree: View, pieces: Pieces
) -> None:
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    shell.drain()
    assert shell.monitor.is_removing
    shell.kernel.inotify.choke()
    shell.disk.makedirs(b"/d/big/other")
    shell.settle()
    seen = as_words(tree.rows())
    came = ["created /d/big/", "created /d/big/other/"]
    assert sorted(seen) == sorted([*EVERYTHING, *came])
    assert seen[-3:] == ["deleted /d/big/", *came]
    shell.disk.touch(b"/d/big/other/later")
    shell.run_once()
    assert as_words(tree.rows()) == ["created /d/big/other/later"]


def test_a_rescan_that_finds_nothing_with_the_name_is_right_about_what_took_it(
    pieces: Pieces,
) -> None:
    pieces.changed(DELETE | IS_DIR)
    assert not words(pieces.changed(CREATE))
    assert sorted(pieces.end(found(pieces, [], []))) == sorted(EVERYTHING)


def test_a_rescan_while_little_is_left_does_not_lose_what_took_the_name(
    pieces: Pieces,
) -> None:
    until_little_is_left(pieces, pieces.changed(DELETE | IS_DIR))
    seen = pieces.end(found(pieces, [], [b"big"]))
    assert seen[-2:] == ["deleted /d/big/", "created /d/big"]


def test_a_rescan_does_not_lose_what_took_the_name_after_the_tree_ended(
    shell: Shell, pieces: Pieces
) -> None:
    names_only = shell.view()
    names_only.subscribe(b"/d", Scope.DIRECTORY)
    pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    seen = pieces.end(found(pieces, [], [b"big"]))
    assert seen == ["deleted /d/big/", "created /d/big"]


def test_a_rescan_keeps_the_details_of_a_directory_that_was_renamed_away(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/d", Scope.TREE, wants_details=True)
    pieces = Pieces(shell, view)
    pieces.changed(MOVED_FROM | IS_DIR)
    effects = found(pieces, [], [])
    shell.monitor.details.end_round()
    assert pieces.end(effects)[-1] == "deleted /d/big/"
    assert shell.monitor.details.of(b"/d/big") == RENAMED


def test_a_directory_that_took_the_name_is_renamed_before_all_of_it_is_removed(
    pieces: Pieces,
) -> None:
    effects = pieces.changed(DELETE | IS_DIR)
    pieces.changed(CREATE | IS_DIR)
    renamed = [
        Change(pieces.directory, MOVED_FROM | IS_DIR, 7, b"big"),
        Change(pieces.directory, MOVED_TO | IS_DIR, 7, b"other"),
    ]
    seen = words(pieces.monitor.changed(renamed, pieces.shell.now))
    assert seen == ["created /d/other/"]
    assert sorted(pieces.end(effects)) == sorted(EVERYTHING)


def test_a_probe_that_finds_a_directory_with_the_name_has_the_rest_removed_first(
    shell: Shell, pieces: Pieces
) -> None:
    pieces.changed(DELETE | IS_DIR)
    pieces.monitor._changes.entries.on_probed(pieces.directory, b"big", True)
    effects = pieces.monitor.due(shell.now)
    assert words(effects)[-2:] == ["deleted /d/big/", "created /d/big/"]
    assert not pieces.monitor.is_removing
    big = pieces.monitor.tree.find(b"/d/big")
    assert [each.node for each in effects if isinstance(each, Scan)] == [big]


def test_a_removal_ends_when_nobody_needs_the_directory_above(
    shell: Shell, pieces: Pieces
) -> None:
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    assert not words(pieces.go_on(effects))
    assert not pieces.monitor.is_removing


def test_a_removal_does_not_go_on_in_what_a_later_subscription_lists(
    shell: Shell, pieces: Pieces
) -> None:
    """A subscription of another name keeps the node of /d."""
    shell.disk.touch(b"/d/other")
    shell.view().subscribe(b"/d/other", Scope.FILE)
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    later = shell.view()
    later.subscribe(b"/d", Scope.TREE)
    before = as_words(later.rows())
    assert "exists /d/big/sub/deep/" in before
    assert not words(pieces.go_on(effects))
    assert not pieces.monitor.is_removing
    [again] = later.subscriptions
    assert len(list(pieces.monitor.listing(again))) == len(EVERYTHING) + 1


def test_what_took_the_name_and_is_large_is_removed_in_slices_for_others(
    shell: Shell, pieces: Pieces
) -> None:
    """The tree ends and begins again, and lists what has the name by then."""
    shell.view().subscribe(b"/d", Scope.DIRECTORY)
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    pieces.monitor.cancel(pieces.subscription, shell.now)
    shell.view().subscribe(b"/d", Scope.TREE)
    assert pieces.monitor.is_removing
    effects = pieces.go_on(effects)
    assert any(isinstance(each, Remove) for each in effects)
    while any(isinstance(each, Remove) for each in effects):
        assert len(words(effects)) <= SLICE_ROWS
        effects = pieces.go_on(effects)
    assert not pieces.directory.entries


def test_a_removal_leaves_what_a_path_leads_through_that_is_asked_for_later(
    shell: Shell, pieces: Pieces
) -> None:
    shell.disk.touch(b"/d/other")
    shell.view().subscribe(b"/d/other", Scope.FILE)
    effects = pieces.go_on(pieces.changed(DELETE | IS_DIR))
    shell.do(pieces.monitor.cancel(pieces.subscription, shell.now))
    shell.run_once()
    shell.view().subscribe(b"/d/big/3", Scope.FILE)
    there = shell.monitor.tree.find(b"/d/big")
    assert there is not None
    assert not words(pieces.go_on(effects))
    assert shell.monitor.tree.find(b"/d/big") is there
    assert not shell.monitor.is_removing


def test_what_takes_the_name_between_the_halves_of_a_rename_stays(
    shell: Shell, pieces: Pieces
) -> None:
    shell.view().subscribe(b"/elsewhere", Scope.DIRECTORY)
    elsewhere = shell.monitor.tree.find(b"/elsewhere")
    assert elsewhere is not None
    batch = [
        Change(pieces.directory, MOVED_FROM | IS_DIR, 7, b"big"),
        Change(pieces.directory, CREATE, 0, b"big"),
        Change(elsewhere, MOVED_TO | IS_DIR, 7, b"big"),
    ]
    effects = shell.monitor.changed(batch, shell.now)
    seen = words(effects) + pieces.end(effects)
    assert set(seen) >= EVERYTHING | {"created /d/big"}
    assert dict(pieces.directory.entries) == {b"big": FILE}
