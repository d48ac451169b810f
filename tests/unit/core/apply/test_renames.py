"""What each subscriber gets of a rename."""

import pytest

from gamin.core.apply import removals
from gamin.core.model.subscription import Scope
from gamin.core.throttle.debounce import HOLD_SECONDS
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/in/a/deep")
    shell.disk.touch(b"/in/a/f")
    shell.disk.touch(b"/in/f")
    shell.disk.makedirs(b"/out/b")
    shell.disk.touch(b"/out/b/g")
    return shell


def tree(shell: Shell, path: bytes) -> Client:
    view = shell.view()
    view.subscribe(path, Scope.TREE)
    view.rows()
    return view


def received(shell: Shell, client: Client) -> list[str]:
    shell.run_once()
    return as_words(client.rows())


def test_a_file_renamed_within_a_tree_is_moved(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/in/f", b"/in/a/g")
    assert received(shell, client) == ["moved /in/f /in/a/g"]


def test_a_directory_renamed_within_a_tree_is_one_row(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/in/a", b"/in/z")
    assert received(shell, client) == ["moved /in/a/ /in/z/"]
    shell.disk.mkdir(b"/in/y")
    shell.run_once()
    shell.disk.rename(b"/in/z", b"/in/y/a")
    assert received(shell, client) == ["created /in/y/", "moved /in/z/ /in/y/a/"]
    shell.disk.touch(b"/in/y/a/deep/f")
    assert received(shell, client) == ["created /in/y/a/deep/f"]


def test_a_directory_renamed_out_of_a_tree_is_deleted_with_all_in_it(
    shell: Shell,
) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/in/a", b"/out/a")
    assert sorted(received(shell, client)) == [
        "deleted /in/a/",
        "deleted /in/a/deep/",
        "deleted /in/a/f",
    ]
    shell.disk.touch(b"/out/a/new")
    assert received(shell, client) == []


def test_a_directory_renamed_into_a_tree_is_created_with_all_in_it(
    shell: Shell,
) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/out/b", b"/in/b")
    assert received(shell, client) == ["created /in/b/", "created /in/b/g"]


def test_a_file_renamed_over_another_one_is_moved(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/in/f", b"/in/a/f")
    shell.run_once()
    (row,) = client.rows()
    assert as_words([row]) == ["moved /in/f /in/a/f"]
    assert not row.is_new


def test_a_file_renamed_from_outside_over_another_one_is_changed(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/out/b/g", b"/in/f")
    assert received(shell, client) == ["changed /in/f"]


def test_a_directory_renamed_over_an_empty_one_creates_its_entries(
    shell: Shell,
) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/out/b", b"/in/a/deep")
    assert "created /in/a/deep/g" in received(shell, client)
    shell.disk.touch(b"/in/a/deep/new")
    assert received(shell, client) == ["created /in/a/deep/new"]


def test_two_files_that_change_places_are_reported_as_moves(shell: Shell) -> None:
    client = tree(shell, b"/in")
    for old, new in ((b"f", b"t"), (b"a/f", b"f"), (b"t", b"a/f")):
        shell.disk.rename(b"/in/" + old, b"/in/" + new)
    assert received(shell, client) == [
        "moved /in/f /in/t",
        "moved /in/a/f /in/f",
        "moved /in/t /in/a/f",
    ]


def test_a_chain_of_renames_of_a_directory_is_reported_in_order(shell: Shell) -> None:
    client = tree(shell, b"/in")
    for old, new in ((b"a", b"b"), (b"b", b"c"), (b"c", b"a")):
        shell.disk.rename(b"/in/" + old, b"/in/" + new)
    assert received(shell, client) == [
        "moved /in/a/ /in/b/",
        "moved /in/b/ /in/c/",
        "moved /in/c/ /in/a/",
    ]
    shell.disk.touch(b"/in/a/deep/f")
    assert received(shell, client) == ["created /in/a/deep/f"]


def test_a_subscriber_of_one_end_gets_a_deletion_or_a_creation(shell: Shell) -> None:
    source, target = tree(shell, b"/in"), tree(shell, b"/out")
    both = tree(shell, b"/")
    shell.disk.rename(b"/in/f", b"/out/f")
    assert received(shell, source) == ["deleted /in/f"]
    assert received(shell, target) == ["created /out/f"]
    assert received(shell, both) == ["moved /in/f /out/f"]


def test_a_directory_renamed_between_two_trees_is_reported_whole_to_each(
    shell: Shell,
) -> None:
    source, target = tree(shell, b"/in"), tree(shell, b"/out")
    shell.disk.rename(b"/in/a", b"/out/a")
    everything = ["/in/a/", "/in/a/deep/", "/in/a/f"]
    assert sorted(received(shell, source)) == [f"deleted {path}" for path in everything]
    assert sorted(received(shell, target)) == [
        f"created {path.replace('in', 'out', 1)}" for path in everything
    ]
    shell.disk.touch(b"/out/a/deep/new")
    assert received(shell, source) == []
    assert received(shell, target) == ["created /out/a/deep/new"]


def test_a_directory_subscription_gets_the_renames_of_its_entries_only(
    shell: Shell,
) -> None:
    view = shell.view()
    view.subscribe(b"/in", Scope.DIRECTORY)
    view.rows()
    shell.disk.rename(b"/in/a", b"/in/b")
    assert received(shell, view) == ["moved /in/a/ /in/b/"]
    shell.disk.rename(b"/in/b", b"/out/c")
    assert received(shell, view) == ["deleted /in/b/"]


def test_a_subscriber_of_a_path_below_gets_one_deletion(
    shell: Shell,
) -> None:
    tree(shell, b"/")
    below = shell.view()
    below.subscribe(b"/in/a", Scope.TREE)
    below.rows()
    shell.disk.rename(b"/in", b"/far")
    shell.disk.touch(b"/far/a/new")
    assert received(shell, below) == ["deleted it/"]


def test_what_leaves_the_tree_of_a_subscriber_is_deleted_from_below(
    shell: Shell,
) -> None:
    tree(shell, b"/")
    below = tree(shell, b"/in/a")
    shell.disk.touch(b"/in/a/deep/g")
    shell.run_once()
    below.rows()
    shell.disk.rename(b"/in/a", b"/out/a")
    rows = received(shell, below)
    assert sorted(rows) == [
        "deleted /in/a/deep/",
        "deleted /in/a/deep/g",
        "deleted /in/a/f",
        "deleted it/",
    ]
    assert rows.index("deleted /in/a/deep/g") < rows.index("deleted /in/a/deep/")
    assert rows[-1] == "deleted it/"


def test_a_first_half_without_a_second_is_a_deletion(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.sleep(1)
    shell.run_once()
    shell.kernel.inotify.room = 1
    shell.disk.rename(b"/in/f", b"/in/g")
    assert received(shell, client) == ["deleted /in/f", "created /in/g"]


def test_a_rename_in_a_directory_that_is_at_two_places_is_reported_at_both(
    shell: Shell,
) -> None:
    shell.disk.mkdir(b"/view")
    shell.disk.bind(b"/in", b"/view")
    one, two = tree(shell, b"/in"), tree(shell, b"/view")
    shell.disk.rename(b"/in/f", b"/in/g")
    assert received(shell, one) == ["moved /in/f /in/g"]
    assert received(shell, two) == ["moved /view/f /view/g"]


def test_a_write_just_before_a_rename_is_reported_by_the_new_name(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.modify(b"/in/f")
    shell.run_once()
    shell.disk.rename(b"/in/f", b"/in/g")
    shell.disk.close(b"/in/g")
    shell.settle()
    assert as_words(client.rows()) == ["moved /in/f /in/g", "changed /in/g"]
    shell.disk.chmod(b"/in/a", 0o700)
    shell.run_once()
    shell.disk.rename(b"/in/a", b"/in/z")
    shell.settle()
    assert as_words(client.rows()) == ["moved /in/a/ /in/z/", "changed /in/z/"]


def test_the_last_change_of_a_busy_file_is_reported_by_its_new_name(
    shell: Shell,
) -> None:
    client = tree(shell, b"/in")
    for _ in range(10):
        shell.disk.write(b"/in/f")
        shell.run_once()
    client.rows()
    shell.disk.rename(b"/in/f", b"/in/g")
    shell.settle()
    assert as_words(client.rows()) == ["moved /in/f /in/g", "changed /in/g"]


def test_a_write_just_after_a_rename_is_reported(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.rename(b"/in/f", b"/in/g")
    shell.disk.write(b"/in/g")
    assert received(shell, client) == ["moved /in/f /in/g", "changed /in/g"]
    shell.disk.rename(b"/in/a", b"/in/z")
    shell.disk.chmod(b"/in/z", 0o700)
    shell.settle()
    assert as_words(client.rows()) == ["moved /in/a/ /in/z/", "changed /in/z/"]


def test_writes_before_and_after_a_rename_are_both_reported(shell: Shell) -> None:
    client = tree(shell, b"/in")
    shell.disk.touch(b"/in/g")
    shell.run_once()
    client.rows()
    shell.disk.write(b"/in/g")
    shell.disk.rename(b"/in/f", b"/in/g")
    shell.disk.write(b"/in/g")
    assert received(shell, client) == [
        "changed /in/g",
        "moved /in/f /in/g",
        "changed /in/g",
    ]


def test_a_name_that_another_file_takes_is_reported_as_changed_again(
    shell: Shell,
) -> None:
    client = tree(shell, b"/in")
    shell.disk.write(b"/in/f")
    for old, new in ((b"/in/f", b"/in/g"), (b"/in/g", b"/in/f")):
        shell.disk.rename(old, new)
    shell.disk.write(b"/in/f")
    assert received(shell, client) == [
        "changed /in/f",
        "moved /in/f /in/g",
        "moved /in/g /in/f",
        "changed /in/f",
    ]


def test_repeated_renames_do_not_delay_the_report_of_a_write(
    shell: Shell,
) -> None:
    client = tree(shell, b"/in")
    shell.disk.modify(b"/in/f")
    shell.run_once()
    for old, new in ((b"/in/f", b"/in/g"), (b"/in/g", b"/in/f")):
        shell.disk.rename(old, new)
        shell.sleep(HOLD_SECONDS / 2)
    assert received(shell, client) == [
        "moved /in/f /in/g",
        "changed /in/g",
        "moved /in/g /in/f",
    ]


def test_a_large_directory_that_no_client_sees_at_both_places_is_renamed_in_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removals, "MAX_NAMES_AT_ONCE", 5)
    monkeypatch.setattr(removals, "BATCH_NAMES", 4)
    shell = Shell()
    shell.disk.makedirs(b"/a/big/sub")
    shell.disk.makedirs(b"/b")
    for number in range(9):
        shell.disk.touch(b"/a/big/sub/%d" % number)
    source, target = shell.view(), shell.view()
    for view, path in ((source, b"/a"), (target, b"/b")):
        view.subscribe(path, Scope.TREE)
        view.rows()
    shell.disk.rename(b"/a/big", b"/b/big")
    shell.drain()
    assert shell.monitor.is_removing
    shell.run_once()
    gone, came = as_words(source.rows()), as_words(target.rows())
    assert len(gone) == len(came) == 11
    assert gone[-2:] == ["deleted /a/big/sub/", "deleted /a/big/"]
    assert came[:2] == ["created /b/big/", "created /b/big/sub/"]
    shell.disk.touch(b"/b/big/sub/later")
    shell.run_once()
    assert as_words(target.rows()) == ["created /b/big/sub/later"]
    assert not source.rows()
