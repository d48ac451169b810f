"""FUSE mounts, and changes that are made below them."""

import errno
import subprocess
from pathlib import Path

import pytest

import gamin
from gamin import Event, Kind
from testkit.fuse import bindfs, can_bindfs
from testkit.waiting import eventually
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


def test_a_directory_that_gives_errors_on_a_living_mount_is_not_deleted(
    tmp_path: Path,
) -> None:
    """The directory is a mount of its own below, whose server dies."""
    with bindfs(tmp_path, "unlisted") as mounted:
        with bindfs(mounted.below, "inner") as dying:
            (dying.below / "file").touch()
            place = mounted.point / dying.point.name
            file = place / "file"
            old_events: list[tuple[str, int]] = []
            old = gamin.WatchMonitor()
            old.watch_file(
                str(file), lambda path, event: old_events.append((path, event))
            )
            with gamin.watch(mounted.point, timeout=SOON) as watch:
                new = iter(range(100))
                until(watch, touched(mounted.below, mounted.point, next(new)))
                dying.die()
                eventually(lambda: is_unconnected(place), what="the error")
                events = until(watch, touched(mounted.below, mounted.point, next(new)))
                events += until(watch, touched(mounted.below, mounted.point, next(new)))
                assert not [each for each in events if each.kind is Kind.DELETED]
                old.handle_events()
                assert (str(file), gamin.GAMDeleted) not in old_events
                subprocess.run(["umount", "-l", str(dying.point)], check=True)
                until(watch, deleted(file))
        old.disconnect()


def is_unconnected(place: Path) -> bool:
    """Whether it gives an error; what the kernel remembers of it ends in a second."""
    try:
        place.stat()
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def touched(below: Path, point: Path, number: int) -> Event:
    """Make a file past the mount; what that is reported as."""
    (below / f"new {number}").touch()
    return created(point / f"new {number}")
