"""FUSE mounts, and changes that are made below them."""

from pathlib import Path

import pytest

import gamin
from testkit.fuse import bindfs, can_bindfs
from testkit.watches import SOON, changed, created, deleted, until

pytestmark = [
    pytest.mark.skipif(not can_bindfs(), reason="needs FUSE and the right to mount"),
    pytest.mark.usefixtures("own_server"),
]


@pytest.fixture(params=["sshfs", "unlisted"])
def subtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_changes_made_below_a_fuse_mount_of_any_type_are_reported(
    tmp_path: Path, subtype: str
) -> None:
    with bindfs(tmp_path, subtype) as mounted:
        (mounted.below / "file").touch()
        (mounted.below / "gone").touch()
        with gamin.watch(mounted.point, timeout=SOON) as watch:
            (mounted.below / "new").touch()
            (mounted.below / "file").write_text("more")
            (mounted.below / "gone").unlink()
            until(
                watch,
                created(mounted.point / "new"),
                changed(mounted.point / "file"),
                deleted(mounted.point / "gone"),
            )


def test_a_change_made_through_a_fuse_mount_is_reported_at_once(
    tmp_path: Path, subtype: str
) -> None:
    with (
        bindfs(tmp_path, subtype) as mounted,
        gamin.watch(mounted.point, timeout=SOON) as watch,
    ):
        (mounted.point / "new").touch()
        new = created(mounted.point / "new")
        assert new in until(watch, new)
