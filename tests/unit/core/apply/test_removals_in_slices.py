"""What one go reports of a large directory that is gone, slices report as well."""

from contextlib import suppress
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, data

from gamin.core.apply import removals
from gamin.core.deliver.details import RENAMED
from gamin.core.effects import Remove
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.events import CREATE, DELETE, IS_DIR, MOVED_FROM, MOVED_TO, Change
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.words import as_words
from tests.unit.core.apply.pieces import EVERYTHING, SLICE_ROWS, Pieces, words


def make_busy(pieces: Pieces, node: Node) -> None:
    """Have a file come and go in a directory until its reports are deferred."""
    while node not in pieces.monitor.flow.busy:
        pieces.shell.now += 0.01
        for mask in (CREATE, DELETE):
            pieces.monitor.changed([Change(node, mask, 0, b"brief")], pieces.shell.now)


@pytest.mark.parametrize("path", [b"/d", b"/d/big", b"/d/big/sub", b"/elsewhere"])
def test_a_large_directory_is_removed_in_slices_while_one_is_busy(
    shell: Shell, tree: View, pieces: Pieces, path: bytes
) -> None:
    view = shell.view()
    view.subscribe(b"/elsewhere", Scope.TREE)
    node = pieces.monitor.tree.find(path)
    assert node is not None
    make_busy(pieces, node)
    effects = pieces.changed(DELETE | IS_DIR)
    assert any(isinstance(each, Remove) for each in effects)
    assert sorted(pieces.end(effects)) == sorted(EVERYTHING)
    assert not pieces.directory.entries


@pytest.mark.parametrize("is_in_slices", [True, False])
def test_what_was_deferred_in_a_directory_that_is_gone_is_reported_as_clients_know_it(
    pieces: Pieces, is_in_slices: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = pieces.monitor.tree.find(b"/d/big")
    assert big is not None
    make_busy(pieces, big)
    now = pieces.shell.now
    deferred = [
        *(Change(big, CREATE, 0, b"unknown-%d" % number) for number in range(9)),
        *(Change(big, DELETE, 0, b"%d" % number) for number in range(6)),
        *(Change(big, CREATE | IS_DIR, 0, b"%d" % number) for number in range(2)),
    ]
    # Subdirectories are reported at once, and what was deferred of their names first.
    before = words(pieces.monitor.changed(deferred, now))
    assert before == [
        word
        for number in range(2)
        for word in (f"deleted /d/big/{number}", f"created /d/big/{number}/")
    ]
    if not is_in_slices:
        monkeypatch.setattr(removals, "MAX_NAMES_AT_ONCE", 1000)
    effects = pieces.changed(DELETE | IS_DIR)
    seen = words(effects) + pieces.end(effects)
    known = EVERYTHING - {"deleted /d/big/0", "deleted /d/big/1"}
    assert sorted(seen) == sorted({*known, "deleted /d/big/0/", "deleted /d/big/1/"})


def test_the_details_of_a_large_directory_that_was_renamed_away_are_reported(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/d", Scope.TREE, wants_details=True)
    pieces = Pieces(shell, view)
    effects = pieces.changed(MOVED_FROM | IS_DIR)
    shell.monitor.details.end_round()
    assert pieces.end(effects)[-1] == "deleted /d/big/"
    assert shell.monitor.details.of(b"/d/big") == RENAMED


@pytest.mark.parametrize("path", [b"/d/late", b"/d/late/deep"])
def test_a_subdirectory_that_came_before_a_file_is_removed_in_slices(
    shell: Shell, tree: View, path: bytes
) -> None:
    """The file, which is removed first, is all that is left beside it."""
    shell.disk.makedirs(path + b"/sub")
    shell.run_once()
    for number in range(6):
        shell.disk.touch(path + b"/sub/%d" % number)
    shell.disk.touch(path + b"/last")
    shell.run_once()
    came = as_words(tree.rows())
    slices = slices_of(Pieces(shell, tree), b"late")
    assert max(map(len, slices)) <= SLICE_ROWS
    gone = [word.replace("created", "deleted") for word in came]
    assert sorted(chain(*slices)) == sorted(gone)


def test_deletions_that_were_deferred_in_a_directory_are_reported_in_slices(
    shell: Shell, tree: View, pieces: Pieces
) -> None:
    shell.disk.makedirs(b"/d/many")
    for number in range(20):
        shell.disk.touch(b"/d/many/%d" % number)
    shell.run_once()
    tree.rows()
    many = pieces.monitor.tree.find(b"/d/many")
    assert many is not None
    make_busy(pieces, many)
    gone = [Change(many, DELETE, 0, b"%d" % number) for number in range(20)]
    assert not words(pieces.monitor.changed(gone, shell.now))
    slices = slices_of(pieces, b"many")
    assert max(map(len, slices)) <= SLICE_ROWS
    assert len(list(chain(*slices))) == 21


def slices_of(pieces: Pieces, name: bytes) -> list[list[str]]:
    """What each slice reports of a directory in /d that is deleted."""
    effects = pieces.changed(DELETE | IS_DIR, name)
    slices = [words(effects)]
    while any(isinstance(each, Remove) for each in effects):
        effects = pieces.go_on(effects)
        slices.append(words(effects))
    return slices


@given(data())
def test_slices_report_what_one_go_reports(choices: DataObject) -> None:
    names = st.sampled_from([b"a", b"b", b"c", b"d"])
    directories = choices.draw(st.lists(st.lists(names, max_size=4), max_size=6))
    files = choices.draw(st.lists(st.lists(names, min_size=1, max_size=4), max_size=9))
    seen = []
    for most in (0, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(removals, "MAX_NAMES_AT_ONCE", most)
            patch.setattr(removals, "BATCH_NAMES", 1)
            shell = Shell()
            shell.disk.makedirs(b"/d/big")
            shell.disk.makedirs(b"/elsewhere")
            for path in directories:
                shell.disk.makedirs(b"/".join([b"/d/big", *path]))
            for path in files:
                with suppress(OSError):
                    shell.disk.touch(b"/".join([b"/d/big", *path]))
            view = shell.view()
            view.subscribe(b"/d", Scope.TREE)
            view.rows()
            shell.disk.rename(b"/d/big", b"/elsewhere/big")
            shell.run_once()
            seen.append(as_words(view.rows()))
    assert sorted(seen[0]) == sorted(seen[1])
    paths = [word.split()[1] for word in seen[0]]
    for index, gone in enumerate(paths):
        assert not any(below.startswith(gone) for below in paths[index + 1 :])


def test_a_rename_away_from_a_busy_directory_is_removed_in_slices(
    shell: Shell,
) -> None:
    """Its own client sees no further than the names in it, so the rename would be
    deferred; another one watches what is renamed away."""
    outer, inner = shell.view(), shell.view()
    outer.subscribe(b"/d", Scope.DIRECTORY)
    inner.subscribe(b"/d/big", Scope.TREE)
    for view in (outer, inner):
        view.rows()
    directory = shell.monitor.tree.find(b"/d")
    assert directory is not None
    keep_busy(shell, directory)
    outer.rows()
    leaves = Change(directory, MOVED_FROM | IS_DIR, 7, b"big")
    effects = shell.monitor.changed([leaves], shell.now)
    assert len([each for each in effects if isinstance(each, Remove)]) == 1
    shell.disk.rename(b"/d/big", b"/elsewhere/big")
    shell.do(effects)
    shell.run_once()
    assert not outer.rows()
    below = EVERYTHING - {"deleted /d/big/"}
    assert set(as_words(inner.rows())) >= below
    shell.sleep(2)
    assert as_words(outer.rows()) == ["deleted /d/big/"]


def test_a_large_directory_whose_coming_was_deferred_is_renamed_after_that(
    shell: Shell,
) -> None:
    outer, inner = shell.view(), shell.view()
    outer.subscribe(b"/d", Scope.DIRECTORY)
    inner.subscribe(b"/d/late", Scope.TREE)
    directory = shell.monitor.tree.find(b"/d")
    assert directory is not None
    keep_busy(shell, directory)
    outer.rows()
    shell.disk.rename(b"/d/big", b"/d/late")
    shell.run_once()
    shell.disk.rename(b"/d/late", b"/d/later")
    shell.run_once()
    shell.sleep(2)
    seen = [word for word in as_words(outer.rows()) if "late" in word]
    assert seen.index("created /d/late/") < seen.index("deleted /d/late/")
    assert "created /d/later/" in seen


def test_a_removal_goes_on_for_who_watches_the_directory_itself(shell: Shell) -> None:
    """The client ends that sees the name of it, so the directory above is not listed
    any more."""
    outer, inner = shell.view(), shell.view()
    above = outer.subscribe(b"/d", Scope.DIRECTORY)
    inner.subscribe(b"/d/big", Scope.TREE)
    directory = shell.monitor.tree.find(b"/d")
    assert directory is not None
    gone = Change(directory, DELETE | IS_DIR, 0, b"big")
    effects = shell.monitor.changed([gone], shell.now)
    seen = words(effects) + words(shell.monitor.cancel(above, shell.now))
    assert not directory.listed
    while more := [each for each in effects if isinstance(each, Remove)]:
        effects = shell.monitor.go_on(more[0], shell.now)
        seen += words(effects)
    assert set(seen) >= EVERYTHING - {"deleted /d/big/"}


def test_a_removal_that_failed_ends_with_the_directory_above(
    shell: Shell, pieces: Pieces
) -> None:
    big = shell.monitor.tree.find(b"/d/big")
    assert big is not None
    shell.monitor.changed([Change(big, DELETE | IS_DIR, 0, b"sub")], shell.now)
    assert shell.monitor.is_removing
    # Nobody goes on with that one, as if an exception had kept it from being done.
    pieces.end(pieces.changed(DELETE | IS_DIR))
    assert not shell.monitor.is_removing


def test_the_details_of_a_large_directory_that_is_renamed_away_say_so(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/d", Scope.TREE, wants_details=True)
    shell.view().subscribe(b"/elsewhere", Scope.DIRECTORY)
    directory, elsewhere = map(shell.monitor.tree.find, (b"/d", b"/elsewhere"))
    assert directory is not None
    assert elsewhere is not None
    halves = [
        Change(directory, MOVED_FROM | IS_DIR, 7, b"big"),
        Change(elsewhere, MOVED_TO | IS_DIR, 7, b"big"),
    ]
    effects = shell.monitor.changed(halves, shell.now)
    shell.monitor.details.end_round()
    while more := [each for each in effects if isinstance(each, Remove)]:
        effects = shell.monitor.go_on(more[0], shell.now)
    assert words(effects)[-1] == "deleted /d/big/"
    assert shell.monitor.details.of(b"/d/big") == RENAMED


def test_a_directory_that_becomes_large_after_it_left_is_reported_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deletion is deferred by then. The report of that is due before all of what
    was in it could be removed in slices."""
    monkeypatch.setattr(removals, "MAX_NAMES_AT_ONCE", 25)
    shell.disk.makedirs(b"/d/some/sub")
    outer, inner = shell.view(), shell.view()
    outer.subscribe(b"/d", Scope.DIRECTORY)
    inner.subscribe(b"/d/some", Scope.TREE)
    directory, some = map(shell.monitor.tree.find, (b"/d", b"/d/some"))
    assert directory is not None
    assert some is not None
    keep_busy(shell, directory)
    outer.rows()
    batch = [
        Change(directory, MOVED_FROM | IS_DIR, 7, b"some"),
        *(Change(some, CREATE, 0, b"new-%d" % number) for number in range(30)),
    ]
    effects = shell.monitor.changed(batch, shell.now)
    seen = words(shell.monitor.flush_deferred(shell.now))
    shell.disk.rename(b"/d/some", b"/elsewhere/some")
    shell.do(effects)
    shell.sleep(2)
    assert seen == ["deleted /d/some/"]
    assert not outer.rows()


def keep_busy(shell: Shell, directory: Node) -> None:
    """Have a file come and go on the disk until reports are deferred."""
    path = directory.path() + b"/brief"
    while directory not in shell.monitor.flow.busy:
        shell.disk.touch(path)
        shell.disk.unlink(path)
        shell.now += 0.01
        shell.drain()
