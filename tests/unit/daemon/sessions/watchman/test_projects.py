"""Which directory `watch-project` watches."""

from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman.projects import find_project, read_config
from gamin.protocol.watchman.errors import UnresolvedRoot
from testkit.descriptors import no_descriptor_is_left_open


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    """A directory three levels deep, with nothing that marks a project."""
    path = tmp_path / "outer" / "middle" / "inner"
    path.mkdir(parents=True)
    return path


def project(path: Path, *watched: Path) -> Path:
    found = find_project(bytes(path), [bytes(root) for root in watched])
    return Path(found.decode())


def test_a_directory_without_a_mark_is_its_own_project(inner: Path) -> None:
    assert project(inner) == inner


def test_the_nearest_directory_with_a_mark_is_the_project(inner: Path) -> None:
    (inner.parent / ".git").mkdir()
    (inner.parent.parent / ".git").mkdir()
    assert project(inner) == inner.parent


def test_a_far_watchmanconfig_is_preferred_to_a_near_git(inner: Path) -> None:
    (inner / ".git").mkdir()
    (inner.parent.parent / ".watchmanconfig").touch()
    assert project(inner) == inner.parent.parent


def test_a_root_that_is_watched_and_holds_it_is_the_project(inner: Path) -> None:
    (inner / ".git").mkdir()
    assert project(inner, inner.parent.parent) == inner.parent.parent
    assert project(inner, inner.parent / "other") == inner


def test_a_project_may_forbid_to_be_watched(inner: Path) -> None:
    (inner / ".hg").mkdir()
    (inner / ".nowatchman").touch()
    with pytest.raises(UnresolvedRoot, match="nowatchman"):
        project(inner)


def test_a_dangling_link_marks_a_project_too(inner: Path) -> None:
    """A .git that points to a disk that is not mounted."""
    (inner.parent / ".git").symlink_to("nowhere")
    assert project(inner) == inner.parent


def test_a_directory_in_place_of_the_configuration_costs_no_descriptor(
    tmp_path: Path,
) -> None:
    (tmp_path / ".watchmanconfig").mkdir()
    with (
        no_descriptor_is_left_open(),
        pytest.raises(UnresolvedRoot, match="Is a directory"),
    ):
        read_config(bytes(tmp_path))
