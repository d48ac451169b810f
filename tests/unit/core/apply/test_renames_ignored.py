"""What subscribers get of a rename where ignore rules apply."""

import pytest

from gamin.core.model.subscription import Scope
from gamin.patterns.ignore_rules import IgnoreRules
from testkit.doubles.engine import Shell
from testkit.words import as_words


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
    """What a client of /in receives about them."""
    view = shell.view()
    view.subscribe(b"/in", Scope.TREE, ignore=ignore)
    view.rows()
    for source, destination in renames:
        shell.disk.rename(source, destination)
    shell.run_once()
    return as_words(view.rows())


def test_an_entry_ignored_only_at_the_new_place_is_deleted(shell: Shell) -> None:
    ignore = rules(to=b"log\nsub/\n")
    reported = after(shell, ignore, (b"/in/a", b"/in/to/a"))
    assert reported[:2] == ["moved /in/a/ /in/to/a/", "deleted /in/to/a/sub/f"]
    assert sorted(reported[2:]) == ["deleted /in/to/a/log", "deleted /in/to/a/sub/"]


def test_an_entry_ignored_only_at_the_old_place_is_created(shell: Shell) -> None:
    shell.disk.rename(b"/in/a", b"/in/to/a")
    ignore = rules(to=b"log\nsub/\n")
    reported = after(shell, ignore, (b"/in/to/a", b"/in/a"))
    assert reported[0] == "moved /in/to/a/ /in/a/"
    assert sorted(reported[1:]) == [
        "created /in/a/log",
        "created /in/a/sub/",
        "created /in/a/sub/f",
    ]


def test_a_rule_for_the_old_path_does_not_apply_at_the_new_place(shell: Shell) -> None:
    ignore = rules(root=b"/a/log\n")
    assert after(shell, ignore, (b"/in/a", b"/in/b")) == [
        "moved /in/a/ /in/b/",
        "created /in/b/log",
    ]


def test_a_rename_under_equal_rules_is_one_row(shell: Shell) -> None:
    ignore = rules(root=b"log\nsub/\n", a=b"f\n")
    reported = after(shell, ignore, (b"/in/a", b"/in/to/a"))
    assert reported == ["moved /in/a/ /in/to/a/"]


def test_entries_of_an_ignored_directory_that_others_watch_are_not_reported(
    shell: Shell,
) -> None:
    shell.disk.rename(b"/in/a", b"/a")
    shell.view().subscribe(b"/", Scope.TREE)
    reported = after(shell, rules(root=b"sub/\n"), (b"/a", b"/in/a"))
    assert "created /in/a/f" in reported
    assert "created /in/a/sub/f" not in reported


def test_a_directory_renamed_to_a_place_with_loaded_rules_is_scanned_again(
    shell: Shell,
) -> None:
    ignore = rules(to=b"f\n")
    renames = (b"/in/to", b"/in/from"), (b"/in/a", b"/in/to")
    reported = after(shell, ignore, *renames)
    assert reported[0] == "moved /in/to/ /in/from/"
    assert "deleted /in/a/" in reported
    assert "created /in/to/sub/f" in reported
    assert ignore.ignored(b"to/f", is_dir=False)  # it is not reported yet


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


class Hidden:
    """Ignores one directory, by its path below the root."""

    def __init__(self, path: bytes) -> None:
        self.path = path
        self.is_empty = False

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        return path == self.path or path.startswith(self.path + b"/")


def test_what_is_ignored_at_its_new_path_is_not_watched_any_more(shell: Shell) -> None:
    view = shell.view()
    view.subscribe(b"/in", Scope.TREE, ignore=Hidden(b"to/a/sub"))
    watched = shell.kernel.watches
    shell.disk.rename(b"/in/a", b"/in/to/a")
    shell.run_once()
    assert shell.kernel.watches == watched - 1
    view.rows()
    shell.disk.touch(b"/in/to/a/sub/late")
    shell.run_once()
    assert not view.rows()
