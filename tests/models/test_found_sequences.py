"""Sequences of steps at whose end a client was wrong once, each as short as possible.

`test_model` says what the steps are, and what must be right.
"""

import pytest

from gamin.core.model.subscription import Scope
from testkit.actions.in_memory import Act
from testkit.doubles.engine import Shell
from tests.models.test_model import Ask, Choke, Sneak, Starve, Step, Turn, Wait, perform


def test_another_directory_in_the_place_of_a_polled_one_is_not_taken_for_it() -> None:
    """The attempt to watch it in the kernel once more used to restart polling."""
    steps: list[Step] = [
        Act("symlink", b"/w/a/c", b"/o/a/b"),
        Wait(0.3),
        Ask(0, b"/w/a/c", Scope.FILE),
        Wait(0.3),
        Ask(0, b"/w/b", Scope.FILE),
        Choke(),
        Act("swap", b"/w/a", b"/w/b"),
        Ask(0, b"/w/b/c", Scope.FILE),
        Act("rename", b"/w/c", b"/w/b/c"),
    ]
    perform(steps, Shell(room=4))


@pytest.mark.parametrize("calls", range(1, 12))
def test_a_change_while_a_request_becomes_ready_is_reported(calls: int) -> None:
    """First rows used to be sent before the file's content was watched."""
    steps: list[Step] = [
        Ask(0, b"/w/a/b", Scope.DIRECTORY),
        Sneak(calls, Act("modify", b"/w/a/b")),
        Act("replace", b"/w/a/b"),
        Turn(),
        Act("rename", b"/w/c", b"/w/a/b"),
        Ask(2, b"/w/a/b", Scope.FILE),
    ]
    perform(steps, Shell())


def test_a_directory_that_changed_places_behind_an_unreadable_one_is_another() -> None:
    steps: list[Step] = [
        Act("dim", b"/w"),
        Ask(0, b"/w/a", Scope.DIRECTORY),
        Act("swap", b"/w/a", b"/w/b"),
        Turn(),
    ]
    perform(steps, Shell())


def test_a_creation_behind_a_path_that_led_elsewhere_for_a_moment_is_reported() -> None:
    """The directory above is renamed and renamed back before its path is walked."""
    steps: list[Step] = [
        Ask(2, b"/w", Scope.TREE),
        Ask(0, b"/w/b/c", Scope.DIRECTORY),
        Act("rmtree", b"/w/b"),
        Act("makedirs", b"/w/b/c"),
        Turn(),
        Act("touch", b"/w/b/c/a"),
        Act("rename", b"/w/b", b"/w/b.third"),
        Act("rename", b"/w/b.third", b"/w/b"),
        Act("touch", b"/w/b/c/b"),
        Act("unlink", b"/w/b/c/a"),
    ]
    perform(steps, Shell())


def test_a_name_probed_in_the_place_of_a_renamed_directory_is_not_taken_for_its() -> (
    None
):
    """The rename is queued when the path of a request is walked."""
    steps: list[Step] = [
        Ask(2, b"/w", Scope.TREE),
        Ask(0, b"/w/b/c", Scope.DIRECTORY),
        Sneak(4, Act("rename", b"/o/b", b"/w/b")),
        Act("rmtree", b"/w/a"),
        Act("recreate", b"/w/b/c", b"/w/c"),
        Act("swap", b"/w/b", b"/w/a/b"),
    ]
    perform(steps, Shell(piece=3))


def test_what_is_in_a_directory_that_leaves_a_tree_goes_before_it() -> None:
    """Another tree has both places; there the directory is renamed."""
    steps: list[Step] = [
        Ask(2, b"/w", Scope.TREE),
        Ask(3, b"/w/a", Scope.TREE),
        Act("rename", b"/w/a/a", b"/w/b/b"),
    ]
    perform(steps, Shell())


def test_a_file_in_the_place_of_the_directory_that_it_was_in_is_gone_from_there() -> (
    None
):
    """The rename of the directory was lost, that of the file was not."""
    steps: list[Step] = [
        Ask(2, b"/w", Scope.TREE),
        Act("recreate", b"/w/a", b"/w/b/b"),
        Sneak(1, Act("rename", b"/w/a/a/c", b"/w/b")),
        Choke(),
        Act("swap", b"/w/a/a", b"/w/b"),
        Turn(),
    ]
    perform(steps, Shell())


def test_a_replaced_directory_whose_scan_failed_is_not_scanned_for_its_names_only() -> (
    None
):
    """That there is another directory is found only once: when it is watched."""
    steps: list[Step] = [
        Ask(0, b"/w/b", Scope.DIRECTORY),
        Sneak(1, Act("swap", b"/w/b", b"/w/a/a")),
        Turn(),
        Choke(),
        Starve(is_memory=False),
    ]
    perform(steps, Shell(piece=3))
