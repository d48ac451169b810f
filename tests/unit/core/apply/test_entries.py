"""Entries that come and go, in whatever order their events come."""

import pytest

from gamin.config.gaminrc import Method, PathRule
from gamin.core.model.subscription import Scope
from testkit.doubles.clients import V1Client, View
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub/deep")
    shell.disk.touch(b"/d/f")
    return shell


def received(shell: Shell, client: View | V1Client) -> list[str]:
    shell.run_once()
    return as_words(client.rows())


def between(shell: Shell, *acts: tuple[str, bytes]) -> None:
    """Have these done just before the server's next system call."""

    def once() -> None:
        shell.meanwhile = lambda: None
        for verb, path in acts:
            getattr(shell.disk, verb)(path)

    shell.meanwhile = once


def test_a_tree_created_at_once_is_reported_once_and_parents_first(
    shell: Shell, tree: View
) -> None:
    shell.disk.makedirs(b"/d/a/b")
    shell.disk.touch(b"/d/a/b/f")
    assert received(shell, tree) == [
        "created /d/a/",
        "created /d/a/b/",
        "created /d/a/b/f",
    ]


def test_an_entry_created_while_its_new_directory_is_scanned_is_reported_once(
    shell: Shell, tree: View
) -> None:
    shell.disk.mkdir(b"/d/a")
    between(shell, ("touch", b"/d/a/f"), ("makedirs", b"/d/a/b/c"))
    assert sorted(received(shell, tree)) == [
        "created /d/a/",
        "created /d/a/b/",
        "created /d/a/b/c/",
        "created /d/a/f",
    ]


def test_a_removed_tree_is_reported_children_first(shell: Shell, tree: View) -> None:
    shell.disk.rmtree(b"/d/sub")
    assert received(shell, tree) == ["deleted /d/sub/deep/", "deleted /d/sub/"]


def test_a_tree_that_is_removed_before_its_scan_is_created_and_deleted(
    shell: Shell, tree: View
) -> None:
    shell.disk.makedirs(b"/d/a/b")
    shell.disk.rmtree(b"/d/a")
    assert received(shell, tree) == ["created /d/a/", "deleted /d/a/"]


def test_a_new_directory_of_the_same_name_is_reported_as_another_one(
    shell: Shell, tree: View
) -> None:
    shell.disk.rmtree(b"/d/sub")
    shell.disk.mkdir(b"/d/sub")
    shell.disk.touch(b"/d/sub/new")
    reported = received(shell, tree)
    assert reported[:2] == ["deleted /d/sub/deep/", "deleted /d/sub/"]
    assert reported[2:] == ["created /d/sub/", "created /d/sub/new"]
    shell.disk.touch(b"/d/sub/later")
    assert received(shell, tree) == ["created /d/sub/later"]


def test_a_directory_renamed_before_it_was_watched_is_found_at_its_new_name(
    shell: Shell, tree: View
) -> None:
    shell.disk.makedirs(b"/d/a/b")
    shell.disk.rename(b"/d/a", b"/d/z")
    shell.disk.touch(b"/d/z/b/f")
    assert received(shell, tree)[-3:] == [
        "moved /d/a/ /d/z/",
        "created /d/z/b/",
        "created /d/z/b/f",
    ]


def test_a_directory_that_took_the_place_of_a_renamed_one_is_reported(
    shell: Shell, tree: View
) -> None:
    shell.disk.mkdir(b"/d/a")
    shell.drain()
    between(shell, ("rmdir", b"/d/a"), ("makedirs", b"/d/a/new"))
    shell.disk.rename(b"/d/a", b"/d/z")
    shell.disk.mkdir(b"/d/a")
    shell.settle()
    tree.rows()
    shell.disk.touch(b"/d/z/f")
    shell.disk.touch(b"/d/a/new/f")
    assert sorted(received(shell, tree)) == ["created /d/a/new/f", "created /d/z/f"]


def test_a_file_that_becomes_a_directory_is_deleted_and_created(
    shell: Shell, tree: View
) -> None:
    shell.disk.unlink(b"/d/f")
    shell.disk.makedirs(b"/d/f/g")
    assert received(shell, tree) == ["deleted /d/f", "created /d/f/", "created /d/f/g/"]


def test_a_name_that_comes_and_goes_is_reported_each_time(
    shell: Shell, tree: View
) -> None:
    for _ in range(3):
        shell.disk.touch(b"/d/new")
        shell.disk.unlink(b"/d/new")
    assert received(shell, tree) == ["created /d/new", "deleted /d/new"] * 3


def test_directory_events_only_leaves_out_the_entries_of_a_deleted_directory(
    shell: Shell,
) -> None:
    client = shell.v1()
    client.subscribe(b"/d", Scope.DIRECTORY)
    client.rows()
    shell.disk.rename(b"/d", b"/z")
    assert received(shell, client) == ["deleted it/"]


def test_short_lived_files_make_a_directory_busy_and_no_other_entry_is_lost(
    shell: Shell, tree: View
) -> None:
    for number in range(35):
        shell.disk.touch(b"/d/%d" % number)
        shell.run_once()
        shell.disk.unlink(b"/d/%d" % number)
        shell.run_once()
    assert len(received(shell, tree)) <= 13
    shell.disk.touch(b"/d/stays")
    shell.sleep(1.1)
    assert received(shell, tree) == ["created /d/stays"]


def test_extracting_and_removing_a_tree_is_no_churn(shell: Shell, tree: View) -> None:
    for number in range(1500):
        shell.disk.touch(b"/d/%d" % number)
    assert len(received(shell, tree)) == 1500
    for number in range(1500):
        shell.disk.unlink(b"/d/%d" % number)
    assert len(received(shell, tree)) == 1500


def test_a_subdirectory_of_a_watched_tree_is_never_deferred(
    shell: Shell, tree: View
) -> None:
    for number in range(35):
        shell.disk.touch(b"/d/%d" % number)
        shell.run_once()
        shell.disk.unlink(b"/d/%d" % number)
        shell.run_once()
    tree.rows()
    shell.disk.makedirs(b"/d/a/b")
    assert received(shell, tree) == ["created /d/a/", "created /d/a/b/"]


def test_an_entry_that_a_probe_finds_before_its_event_is_reported_once(
    shell: Shell, tree: View
) -> None:
    other = shell.v1()
    shell.kernel.inotify.read()
    between(shell, ("makedirs", b"/d/new/box"))
    other.subscribe(b"/d/new/box", Scope.DIRECTORY)
    shell.settle()
    assert received(shell, tree) == ["created /d/new/", "created /d/new/box/"]
    assert as_words(other.rows())[-1] in ("exists it/", "created it/")


@pytest.mark.parametrize("rule", [b"/d", b"/d*"])
def test_the_entries_of_a_replacing_directory_are_reported_though_their_names_are_equal(
    rule: bytes,
) -> None:
    """Seen by a look at the parent, which knows of no renames."""
    shell = Shell(plain_policy(PathRule(rule, Method.POLL)))
    for place in (b"/d/sub", b"/other"):
        shell.disk.makedirs(place + b"/deep")
        shell.disk.touch(place + b"/f")
        shell.disk.touch(place + b"/deep/f")
    tree = shell.view()
    tree.subscribe(b"/d", Scope.TREE)
    shell.sleep(2)
    tree.rows()
    shell.disk.rename(b"/d/sub", b"/away")
    shell.disk.rename(b"/other", b"/d/sub")
    shell.sleep(2)
    reported = set(received(shell, tree))
    for file in ("/d/sub/f", "/d/sub/deep/f"):
        assert reported & {f"created {file}", f"changed {file}"}
