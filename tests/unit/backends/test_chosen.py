"""Some entries of a directory are looked at, and the others are not."""

import os
from pathlib import Path

import pytest

from gamin.backends.chosen import Chosen
from gamin.events import CREATE, DELETE, MODIFY
from testkit.backends import ALL, Directory, PollingNow


@pytest.fixture
def names() -> set[bytes]:
    return {b"mine", b"missing"}


@pytest.fixture
def chosen(tmp_path: Path, names: set[bytes]) -> Chosen:
    (tmp_path / "mine").touch()
    (tmp_path / "other").touch()
    return Chosen(bytes(tmp_path), lambda: names)


def looked(chosen: Chosen, path: Path) -> list[tuple[int, bytes]]:
    found = chosen.look(bytes(path), ALL, 0.0)
    assert found is not None
    return found


def masks(found: list[tuple[int, bytes]], name: bytes) -> int:
    [mask] = [mask for mask, each in found if each == name]
    return mask


def test_only_what_matters_is_seen(chosen: Chosen, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    (tmp_path / "other").write_text("text")
    (tmp_path / "third").touch()
    found = looked(chosen, tmp_path)
    assert [name for _, name in found] == [b"mine"]
    assert masks(found, b"mine") & MODIFY
    assert looked(chosen, tmp_path) == []


def test_coming_and_going_is_seen(chosen: Chosen, tmp_path: Path) -> None:
    (tmp_path / "missing").touch()
    (tmp_path / "mine").unlink()
    found = looked(chosen, tmp_path)
    assert masks(found, b"missing") == CREATE
    assert masks(found, b"mine") == DELETE


def test_what_begins_to_matter_is_known_from_then_on(
    chosen: Chosen, tmp_path: Path, names: set[bytes]
) -> None:
    names |= {b"other", b"third"}
    chosen.track_entry(bytes(tmp_path), b"other")
    chosen.track_entry(bytes(tmp_path), b"third")
    (tmp_path / "other").unlink()
    (tmp_path / "third").touch()
    found = looked(chosen, tmp_path)
    assert masks(found, b"other") == DELETE
    assert masks(found, b"third") == CREATE


def test_beginning_again_changes_nothing(chosen: Chosen, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    chosen.track_entry(bytes(tmp_path), b"mine")
    assert [name for _, name in looked(chosen, tmp_path)] == [b"mine"]


def test_what_does_not_matter_any_more_is_not_told_as_gone(
    chosen: Chosen, tmp_path: Path, names: set[bytes]
) -> None:
    names.remove(b"mine")
    (tmp_path / "mine").unlink()
    assert looked(chosen, tmp_path) == []


def test_what_was_told_already_is_not_seen_again(
    chosen: Chosen, tmp_path: Path
) -> None:
    (tmp_path / "missing").touch()
    chosen.refresh(bytes(tmp_path), b"missing")
    assert looked(chosen, tmp_path) == []


def test_what_was_found_and_not_known_is_new_once(
    chosen: Chosen, tmp_path: Path
) -> None:
    (tmp_path / "missing").touch()
    found = {b"missing": False, b"mine": False}
    assert chosen.absorb_scan(bytes(tmp_path), found) == [b"missing"]
    assert chosen.absorb_scan(bytes(tmp_path), found) == []
    (tmp_path / "missing").unlink()
    assert masks(looked(chosen, tmp_path), b"missing") == DELETE


def test_another_directory_in_its_place_is_the_end(
    chosen: Chosen, tmp_path: Path
) -> None:
    tmp_path.rename(tmp_path.with_name("gone"))
    assert chosen.look(bytes(tmp_path), ALL, 0.0) is None
    tmp_path.mkdir()
    assert chosen.look(bytes(tmp_path), ALL, 0.0) is None
    assert not chosen.is_same_directory(bytes(tmp_path))
    os.rmdir(tmp_path)


def test_nothing_is_lost_when_all_entries_begin_to_matter(tmp_path: Path) -> None:
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
