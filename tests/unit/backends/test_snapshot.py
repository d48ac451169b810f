"""When the names of a directory are read, and when its times are trusted."""

import os
from pathlib import Path

import pytest

from gamin.backends.snapshot import COARSEST_STEP, TRUSTED_POLLS, Snapshot
from gamin.events import CREATE, DELETE
from testkit.backends import ALL, NAMES

SETTLED = COARSEST_STEP + 1  # seconds after the last change that we saw


def polled(snapshot: Snapshot, path: Path, now: float, mask: int = ALL) -> list[bytes]:
    found = snapshot.compare(bytes(path), mask, now)
    assert found is not None
    return [name for _, name in found]


@pytest.mark.parametrize("mask", [NAMES, ALL])
def test_an_unchanged_directory_is_not_listed(tmp_path: Path, mask: int) -> None:
    (tmp_path / "file").touch()
    snapshot = Snapshot(bytes(tmp_path), mask, 0.0, set())
    polled(snapshot, tmp_path, SETTLED, mask)
    before = snapshot.listings
    for compare in range(1, TRUSTED_POLLS + 1):
        assert not polled(snapshot, tmp_path, SETTLED + compare, mask)
    assert snapshot.listings == before


def test_the_names_of_an_unchanged_directory_are_read_now_and_then(
    tmp_path: Path,
) -> None:
    snapshot = Snapshot(bytes(tmp_path), ALL, 0.0, set())
    polled(snapshot, tmp_path, SETTLED)
    before = snapshot.listings
    for compare in range(1, 2 * (TRUSTED_POLLS + 1) + 1):
        polled(snapshot, tmp_path, SETTLED + compare)
    assert snapshot.listings == before + 2


def test_times_that_moved_just_now_are_not_believed(tmp_path: Path) -> None:
    snapshot = Snapshot(bytes(tmp_path), ALL, 0.0, set())
    polled(snapshot, tmp_path, SETTLED)
    os.mknod(tmp_path / "new")
    assert polled(snapshot, tmp_path, SETTLED + 1) == [b"new"]
    before = snapshot.listings
    polled(snapshot, tmp_path, SETTLED + 2)
    polled(snapshot, tmp_path, SETTLED + 1 + COARSEST_STEP)
    assert snapshot.listings == before + 2
    polled(snapshot, tmp_path, SETTLED + 1 + COARSEST_STEP + 0.5)
    polled(snapshot, tmp_path, SETTLED + 1 + COARSEST_STEP + 1)
    assert snapshot.listings == before + 3


def test_a_write_is_seen_without_reading_the_names(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    snapshot = Snapshot(bytes(tmp_path), ALL, 0.0, set())
    polled(snapshot, tmp_path, SETTLED)
    before = snapshot.listings
    (tmp_path / "file").write_text("text")
    assert polled(snapshot, tmp_path, SETTLED + 1) == [b"file"]
    assert snapshot.listings == before


def test_a_file_system_without_such_times_is_found_out() -> None:
    directory = Path("/proc/self/fd")  # its times stay as they are
    unreliable: set[int] = set()
    snapshot = Snapshot(bytes(directory), NAMES, 0.0, unreliable)
    polled(snapshot, directory, SETTLED, NAMES)

    descriptors = [os.open("/", os.O_RDONLY)]
    seen = [
        polled(snapshot, directory, SETTLED + compare, NAMES)
        for compare in range(TRUSTED_POLLS + 1)
    ]
    assert not any(seen[:-1])
    assert seen[-1]
    assert unreliable == {directory.stat().st_dev}

    descriptors.append(os.open("/", os.O_RDONLY))
    assert polled(snapshot, directory, 100.0, NAMES)
    assert not polled(snapshot, directory, 110.0, NAMES)
    descriptors.append(os.open("/", os.O_RDONLY))
    assert polled(snapshot, directory, 120.0, NAMES)
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_replaced_directory_is_gone(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    snapshot = Snapshot(bytes(box), ALL, 0.0, set())
    box.rename(tmp_path / "away")
    assert snapshot.compare(bytes(box), ALL, 1.0) is None
    box.touch()
    assert snapshot.compare(bytes(box), ALL, 1.0) is None
    box.unlink()
    box.mkdir()
    assert snapshot.compare(bytes(box), ALL, 1.0) is None
    assert not snapshot.is_same_directory(bytes(box))


def test_a_snapshot_follows_a_directory_that_moved(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    snapshot = Snapshot(bytes(tmp_path / "old"), ALL, 0.0, set())
    (tmp_path / "old").rename(tmp_path / "new")
    os.mknod(tmp_path / "new" / "file")
    assert polled(snapshot, tmp_path / "new", 1.0) == [b"file"]


@pytest.mark.parametrize("mask", [NAMES, ALL])
def test_an_event_of_the_kernel_is_not_reported_again_by_polling(
    tmp_path: Path, mask: int
) -> None:
    (tmp_path / "gone").touch()
    (tmp_path / "written").touch()
    snapshot = Snapshot(bytes(tmp_path), mask, 0.0, set())
    (tmp_path / "gone").unlink()
    (tmp_path / "written").write_text("text")
    (tmp_path / "new").mkdir()
    os.mknod(tmp_path / "untold")
    for name in (b"gone", b"written", b"new"):
        snapshot.refresh(bytes(tmp_path), name)
    assert snapshot.compare(bytes(tmp_path), mask, 1.0) == [(CREATE, b"untold")]
    (tmp_path / "untold").unlink()
    assert snapshot.compare(bytes(tmp_path), mask, 2.0) == [(DELETE, b"untold")]


def test_refreshing_in_a_directory_that_is_gone_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    snapshot = Snapshot(bytes(tmp_path / "box"), ALL, 0.0, set())
    (tmp_path / "box").rmdir()
    snapshot.refresh(bytes(tmp_path / "box"), b"file")
    assert snapshot.compare(bytes(tmp_path / "box"), ALL, 1.0) is None
