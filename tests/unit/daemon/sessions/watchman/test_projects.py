"""Which directory `watch-project` watches."""

from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman.projects import (
    MAX_LINKS,
    check_root,
    find_project,
    link_targets,
    project_of,
    read_config,
)
from gamin.protocol.watchman.errors import UnresolvedRoot
from gamin.protocol.watchman.global_config import GlobalConfig
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


def test_each_hop_of_a_chain_of_links_is_a_target(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "c/file").touch()
    (tmp_path / "b/link").symlink_to(tmp_path / "c/file")
    (tmp_path / "a/link").symlink_to("../b/link")
    (tmp_path / "to-a").symlink_to("a")
    found = link_targets(bytes(tmp_path / "to-a/link"))
    assert found == [bytes(tmp_path / "b/link"), bytes(tmp_path / "c/file")]
    assert link_targets(bytes(tmp_path / "c/file")) == []


def test_a_loop_of_links_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert len(link_targets(bytes(tmp_path / "loop"))) == MAX_LINKS


def test_a_target_is_in_the_project_that_has_a_mark(inner: Path) -> None:
    target = inner / "file"
    assert project_of(bytes(target), []) is None
    (inner.parent / ".git").mkdir()
    assert project_of(bytes(target), []) == bytes(inner.parent)
    assert project_of(bytes(target), [bytes(inner)]) is None, "it is watched already"


@pytest.mark.parametrize(
    ("file_system", "forbidden"),
    [
        *(("ext4", "ext4"), ("nfs4", "nfs"), ("fuse.sshfs", "fuse"), ("vfat", "msdos")),
        *(("fuse.sshfs", "fuse.sshfs"), ("overlay", "unknown")),
    ],
)
def test_a_type_of_file_system_is_forbidden_by_its_name_in_watchman(
    file_system: str, forbidden: str, tmp_path: Path
) -> None:
    allowed = GlobalConfig(illegal_fstypes=frozenset(("other",)))
    check_root(bytes(tmp_path), allowed, file_system)
    config = GlobalConfig(illegal_fstypes=frozenset((forbidden,)))
    with pytest.raises(UnresolvedRoot, match="is disallowed by global config"):
        check_root(bytes(tmp_path), config, file_system)


def test_a_type_that_watchman_has_a_name_for_is_not_unknown(tmp_path: Path) -> None:
    config = GlobalConfig(illegal_fstypes=frozenset(("unknown",)))
    check_root(bytes(tmp_path), config, "ext4")
