"""What a subscription covers, and how its parts change."""

import pytest

from gamin.core.model.node import Node
from gamin.core.model.subscription import (
    Place,
    Progress,
    Resolution,
    Scope,
    Subscription,
    Target,
)


class Without:
    is_empty = False

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        return path.split(b"/")[-1] == b"skip" or (is_dir and path == b"dirs")


NODE = Node(Node(None, b""), b"a", 4)
HERE: Place = (NODE, None, 4)
NOWHERE: Place = (None, None, 0)


@pytest.mark.parametrize(
    ("path", "is_dir", "admitted"),
    [
        pytest.param(b"/a/x", False, True, id="no rule"),
        pytest.param(b"/a/b/skip", False, False, id="a rule for the name"),
        pytest.param(b"/a/dirs", True, False, id="a rule for directories"),
        pytest.param(b"/a/dirs", False, True, id="which a file does not meet"),
    ],
)
def test_rules_get_the_path_relative_to_the_tree(
    path: bytes, is_dir: bool, admitted: bool
) -> None:
    tree = Subscription(1, 1, b"/a", Scope.TREE, ignore=Without())
    tree.target.set_prefix(b"/a/")
    assert tree.covers_entry(path, is_dir) is admitted


def test_a_request_cannot_be_changed() -> None:
    subscription = Subscription(1, "name", b"a", Scope.TREE, way=b"/b/a")
    assert subscription.request.resolve_path == b"/b/a"
    with pytest.raises(AttributeError):
        subscription.request.path = b"c"  # type: ignore[misc]  # on purpose


def test_a_tree_does_not_cover_an_excluded_mount() -> None:
    tree = Subscription(1, 1, b"/a", Scope.TREE)
    assert tree.is_unfiltered
    tree.target.exclude_mounts(frozenset([b"/a/mnt"]))
    assert not tree.is_unfiltered
    assert not tree.covers_directory(b"/a/mnt")
    assert tree.covers_directory(b"/a/sub")


def test_a_target_is_a_directory_or_an_entry_or_nowhere() -> None:
    subscription = Subscription(1, 1, b"/a", Scope.DIRECTORY)
    assert subscription.target.place == NOWHERE
    subscription.target.bind(NODE, None)
    assert subscription.bound_directory is NODE
    assert subscription.target.place == HERE
    subscription.target.bind(NODE, b"f")
    assert subscription.bound_directory is None
    subscription.target.release()
    assert subscription.node is None


def test_the_tick_of_a_target_is_that_of_its_directory() -> None:
    target = Target()
    target.bind(NODE, b"f")
    assert target.place == (NODE, b"f", 4)
    target.bind(None, None)
    assert target.place == NOWHERE


def test_a_replaced_object_is_reported_once() -> None:
    resolution = Resolution()
    resolution.mark_replaced()
    assert [resolution.take_replaced(), resolution.take_replaced()] == [True, False]


def test_a_new_walk_is_not_blocked_by_the_last_one() -> None:
    resolution = Resolution()
    resolution.block()
    resolution.start_walk()
    assert not resolution.blocked


def test_the_last_expected_scan_says_so() -> None:
    progress = Progress()
    assert not progress.finish_scan()
    progress.expect_scans(2)
    assert [progress.finish_scan() for _ in range(3)] == [False, True, False]


def test_what_exists_for_a_client_is_what_was_announced() -> None:
    progress = Progress()
    progress.become_ready(HERE)
    assert (progress.ready, progress.exists_for_client) == (True, True)
    progress.announce(NOWHERE)
    assert not progress.exists_for_client
