"""A snapshot that is limited to some entries of a directory."""

import os
from pathlib import Path

import pytest

from gamin.backends.snapshot import Snapshot
from gamin.events import CREATE, DELETE, MODIFY
from testkit.backends import ALL, Directory, PollingNow


@pytest.fixture
def names() -> set[bytes]:
    return {b"mine", b"missing"}


@pytest.fixture
def limited(tmp_path: Path, names: set[bytes]) -> Snapshot:
    (tmp_path / "mine").touch()
    (tmp_path / "other").touch()
    return Snapshot(bytes(tmp_path), ALL, 0.0, set(), lambda: names)


def polled(limited: Snapshot, path: Path) -> list[tuple[int, bytes]]:
    found = limited.compare(bytes(path), ALL, 0.0)
    assert found is not None
    return found


def masks(found: list[tuple[int, bytes]], name: bytes) -> int:
    [mask] = [mask for mask, each in found if each == name]
    return mask


def test_only_entries_that_matter_are_compared(
    limited: Snapshot, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("text")
    (tmp_path / "other").write_text("text")
    (tmp_path / "third").touch()
    found = polled(limited, tmp_path)
    assert [name for _, name in found] == [b"mine"]
    assert masks(found, b"mine") & MODIFY
    assert polled(limited, tmp_path) == []


def test_creation_and_deletion_of_an_entry_that_matters_are_detected(
    limited: Snapshot, tmp_path: Path
) -> None:
    (tmp_path / "missing").touch()
    (tmp_path / "mine").unlink()
    found = polled(limited, tmp_path)
    assert masks(found, b"missing") == CREATE
    assert masks(found, b"mine") == DELETE


def test_an_entry_that_begins_to_matter_is_known_from_then_on(
    limited: Snapshot, tmp_path: Path, names: set[bytes]
) -> None:
    names |= {b"other", b"third"}
    limited.track_entry(bytes(tmp_path), b"other")
    limited.track_entry(bytes(tmp_path), b"third")
    (tmp_path / "other").unlink()
    (tmp_path / "third").touch()
    found = polled(limited, tmp_path)
    assert masks(found, b"other") == DELETE
    assert masks(found, b"third") == CREATE


def test_tracking_an_entry_twice_changes_nothing(
    limited: Snapshot, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("text")
    limited.track_entry(bytes(tmp_path), b"mine")
    assert [name for _, name in polled(limited, tmp_path)] == [b"mine"]


def test_an_entry_that_matters_no_longer_is_not_reported_as_deleted(
    limited: Snapshot, tmp_path: Path, names: set[bytes]
) -> None:
    names.remove(b"mine")
    (tmp_path / "mine").unlink()
    assert polled(limited, tmp_path) == []


def test_a_reported_change_is_not_detected_again(
    limited: Snapshot, tmp_path: Path
) -> None:
    (tmp_path / "missing").touch()
    limited.refresh(bytes(tmp_path), b"missing")
    assert polled(limited, tmp_path) == []


def test_an_unknown_entry_that_a_scan_found_is_new_once(
    limited: Snapshot, tmp_path: Path
) -> None:
    (tmp_path / "missing").touch()
    found = {b"missing": False, b"mine": False}
    assert limited.absorb_scan(bytes(tmp_path), found) == [b"missing"]
    assert limited.absorb_scan(bytes(tmp_path), found) == []
    (tmp_path / "missing").unlink()
    assert masks(polled(limited, tmp_path), b"missing") == DELETE


def test_another_directory_in_its_place_ends_a_snapshot(
    limited: Snapshot, tmp_path: Path
) -> None:
    tmp_path.rename(tmp_path.with_name("gone"))
    assert limited.compare(bytes(tmp_path), ALL, 0.0) is None
    tmp_path.mkdir()
    assert limited.compare(bytes(tmp_path), ALL, 0.0) is None
    assert not limited.is_same_directory(bytes(tmp_path))
    os.rmdir(tmp_path)


def test_no_change_is_lost_when_all_entries_begin_to_matter(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    (tmp_path / "other").touch()
    backend, place = PollingNow(), Directory(tmp_path)
    backend.watch(place, ALL, names=lambda: {b"mine"})
    (tmp_path / "mine").unlink()
    missed = backend.watch(place, ALL)
    assert [(change.mask, change.name) for change in missed] == [(DELETE, b"mine")]
    (tmp_path / "other").unlink()
    seen = backend.drain()
    assert [(change.mask, change.name) for change in seen] == [(DELETE, b"other")]
    assert backend.watch(place, ALL, names=lambda: {b"mine"}) == []
    (tmp_path / "other").touch()
    assert backend.drain() == []
