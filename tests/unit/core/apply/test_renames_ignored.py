"""Who hears what of a rename where ignore rules leave something out."""

import pytest

from gamin.core.model.subscription import Scope
from gamin.patterns.ignore_rules import IgnoreRules
from testkit.doubles.engine import Shell
from testkit.words import said


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/in/a/sub")
    shell.disk.touch(b"/in/a/sub/f")
    shell.disk.touch(b"/in/a/f")
    shell.disk.touch(b"/in/a/log")
    shell.disk.mkdir(b"/in/to")
    return shell


def rules(**texts: bytes) -> IgnoreRules:
    """Rules in directories, as if there were such files; `root` has those of `/in`."""
    rules = IgnoreRules(vcs=True)
    for directory, text in texts.items():
        place = b"" if directory == "root" else directory.encode()
        rules.load(place, b".gitignore", text)
    return rules


def after(
    shell: Shell, ignore: IgnoreRules, *renames: tuple[bytes, bytes]
) -> list[str]:
    """What a client of /in is told of them."""
    view = shell.view()
    view.subscribe(b"/in", Scope.TREE, ignore=ignore)
    view.rows()
    for source, destination in renames:
        shell.disk.rename(source, destination)
    shell.turn()
    return said(view.rows())


def test_what_is_left_out_only_at_the_new_place_is_deleted_there(shell: Shell) -> None:
    ignore = rules(to=b"log\nsub/\n")
    told = after(shell, ignore, (b"/in/a", b"/in/to/a"))
    assert told[:2] == ["moved /in/a/ /in/to/a/", "deleted /in/to/a/sub/f"]
    assert sorted(told[2:]) == ["deleted /in/to/a/log", "deleted /in/to/a/sub/"]


def test_what_was_left_out_only_at_the_old_place_is_created(shell: Shell) -> None:
    shell.disk.rename(b"/in/a", b"/in/to/a")
    ignore = rules(to=b"log\nsub/\n")
    told = after(shell, ignore, (b"/in/to/a", b"/in/a"))
    assert told[0] == "moved /in/to/a/ /in/a/"
    assert sorted(told[1:]) == [
        "created /in/a/log",
        "created /in/a/sub/",
        "created /in/a/sub/f",
    ]


def test_a_rule_for_a_path_is_left_behind(shell: Shell) -> None:
    ignore = rules(root=b"/a/log\n")
    assert after(shell, ignore, (b"/in/a", b"/in/b")) == [
        "moved /in/a/ /in/b/",
        "created /in/b/log",
    ]


def test_where_the_rules_say_the_same_there_is_only_the_rename(shell: Shell) -> None:
    ignore = rules(root=b"log\nsub/\n", a=b"f\n")
    told = after(shell, ignore, (b"/in/a", b"/in/to/a"))
    assert told == ["moved /in/a/ /in/to/a/"]


def test_what_others_know_of_an_ignored_directory_is_not_told(shell: Shell) -> None:
    shell.disk.rename(b"/in/a", b"/a")
    shell.view().subscribe(b"/", Scope.TREE)
    told = after(shell, rules(root=b"sub/\n"), (b"/a", b"/in/a"))
    assert "created /in/a/f" in told
    assert "created /in/a/sub/f" not in told


def test_what_comes_to_a_place_with_rules_that_are_still_in_use_is_looked_at_anew(
    shell: Shell,
) -> None:
    ignore = rules(to=b"f\n")
    renames = (b"/in/to", b"/in/from"), (b"/in/a", b"/in/to")
    told = after(shell, ignore, *renames)
    assert told[0] == "moved /in/to/ /in/from/"
    assert "deleted /in/a/" in told
    assert "created /in/to/sub/f" in told
    assert ignore.ignored(b"to/f", is_dir=False)  # what was done there is not told yet


def test_a_rule_file_in_an_ignored_directory_that_others_watch_changes_nothing(
    shell: Shell,
) -> None:
    shell.view().subscribe(b"/", Scope.TREE)
    view = shell.view()
    keeper = view.subscribe(b"/in", Scope.TREE, ignore=rules(root=b"a/\n", a=b"f\n"))
    view.rows()
    assert (
        shell.monitor.rules_changed(keeper, b"a", b".gitignore", None, shell.now) == []
    )
