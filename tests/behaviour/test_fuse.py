"""FUSE mounts, and changes that are made below them."""

from pathlib import Path

import pytest

import gamin
from testkit.fuse import bindfs, can_bindfs
from testkit.server_state import status
from testkit.waiting import eventually
from testkit.watches import SOON, changed, created, deleted, until

pytestmark = [
    pytest.mark.skipif(not can_bindfs(), reason="needs FUSE and the right to mount"),
    pytest.mark.usefixtures("own_server"),
]


def stalled_mounts() -> list[str]:
    return [each.mount for each in status().stalled]


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


def test_a_mount_that_does_not_answer_stops_nobody(
    tmp_path: Path, subtype: str
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    with (
        bindfs(tmp_path, subtype) as mounted,
        gamin.watch(mounted.point, timeout=SOON) as watch,
        gamin.watch(beside, timeout=SOON) as innocent,
    ):
        mounted.stop()
        (mounted.below / "late").touch()
        eventually(lambda: stalled_mounts() == [str(mounted.point)])
        (beside / "new").touch()
        assert created(beside / "new") in until(innocent, created(beside / "new"))
        with gamin.watch(beside, timeout=SOON) as newcomer:
            (beside / "newer").touch()
            newer = created(beside / "newer")
            assert newer in until(newcomer, newer)
        mounted.go_on()
        late = created(mounted.point / "late", recovered=True)
        assert late in until(watch, late)
