"""A write through a mapping is reported when the mapping ends; a file that was only
open for writing is not reported. On the real kernel and real files."""

import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.backends import close_check
from gamin.backends.close_check import CloseCheck
from gamin.events import MODIFY
from testkit.backends import ALL, Directory, Way, available, story

LONG_AGO = 1_000_000_000
"""Seconds of real time, before any test."""


@pytest.fixture(params=list(available()), ids=repr)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture
def backend(way: Way) -> Iterator[Any]:
    backend = way.open()
    yield backend
    backend.close()


@pytest.fixture
def file(backend: Any, tmp_path: Path) -> Path:
    """A file that existed long before its directory is watched."""
    file = tmp_path / "file"
    file.write_bytes(b"old")
    os.utime(file, (LONG_AGO, LONG_AGO))
    backend.watch(Directory(tmp_path), ALL)
    return file


def write_through_a_mapping(file: Path, content: bytes) -> None:
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapping:
        mapping[: len(content)] = content


def test_a_write_through_a_mapping_is_reported_at_its_end(
    way: Way, backend: Any, file: Path
) -> None:
    write_through_a_mapping(file, b"new")
    assert story(way.seen(backend)) == ["written file"]
    os.utime(file, (LONG_AGO, LONG_AGO))  # a time nobody would take for news
    way.seen(backend)
    write_through_a_mapping(file, b"two")
    assert story(way.seen(backend)) == ["written file"]


def test_a_write_through_a_mapping_after_an_ordinary_write_is_reported(
    way: Way, backend: Any, file: Path
) -> None:
    file.write_bytes(b"one")
    way.seen(backend)
    # Later than the last write by any clock, whatever the file system's steps are.
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapping:
        mapping[:3] = b"two"
        mapping.flush()
        later = time.time_ns() + 1_000_000_000
        os.utime(file, ns=(later, later))
        attributes = story(way.seen(backend))
    assert "written file" in attributes + story(way.seen(backend))


def contents_that_count(changes: Any) -> list[int]:
    """The masks that say more than that a file was closed."""
    return [c.mask for c in changes if c.mask & MODIFY]


def test_a_file_that_was_only_open_for_writing_is_not_reported_as_modified(
    way: Way, backend: Any, file: Path
) -> None:
    file.open("r+b").close()
    assert contents_that_count(way.seen(backend)) == []
    os.utime(file)
    way.seen(backend)
    file.open("r+b").close()
    assert contents_that_count(way.seen(backend)) == []
    file.write_bytes(b"written")
    assert contents_that_count(way.seen(backend))
    for _ in range(2):
        file.open("r+b").close()
        assert contents_that_count(way.seen(backend)) == []


def test_a_file_that_is_made_and_closed_later_is_not_reported_as_modified(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), ALL)
    with (tmp_path / "new").open("wb"):
        assert story(way.seen(backend)) == ["created new"]
    assert contents_that_count(way.seen(backend)) == []
    (tmp_path / "new").write_bytes(b"content")
    way.seen(backend)
    (tmp_path / "new").rename(tmp_path / "renamed")
    way.seen(backend)
    (tmp_path / "renamed").open("r+b").close()
    if way.name in ("inotify", "both"):
        assert contents_that_count(way.seen(backend)) == []


def test_a_file_without_an_accessible_status_counts_as_changed(tmp_path: Path) -> None:
    check = CloseCheck()
    check.watched(1)
    now = time.time_ns() + 1
    missing = os.fsencode(tmp_path / "missing")
    assert check.is_changed((1, b"missing"), missing, now)
    assert not check.is_changed((1, b"missing"), missing, now)


def test_the_time_of_the_oldest_files_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_check, "MAX_KEPT", 10)
    check = CloseCheck()
    for number in range(100):
        check.begin()
        check.modified[1, b"%d" % number] = 1
    remembered = [n for n in range(100) if (1, b"%d" % n) in check.modified]
    assert len(remembered) <= 11
    assert remembered[-1] == 99


def test_watches_begin_when_the_first_of_their_group_did(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    path, now = os.fsencode(file), time.time_ns()
    check = CloseCheck()
    os.utime(file, ns=(now, now))
    check.watched(5)
    read_ns = time.time_ns() + 1
    before, after = now - 1, read_ns
    os.utime(file, ns=(before, before))
    assert not check.is_changed((7, b"of a later number"), path, read_ns)
    os.utime(file, ns=(after, after))
    assert check.is_changed((7, b"file"), path, read_ns)
    os.utime(file, ns=(before, before))
    assert check.is_changed((3, b"of an earlier number"), path, read_ns)


def test_the_groups_of_watches_do_not_grow_without_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(close_check, "MAX_GROUPS", 8)
    check = CloseCheck()
    for number in range(1, 1000):
        check.begin()
        check.watched(number)
    assert check.is_changed((1000, b"missing"), b"/nowhere/missing", time.time_ns() + 1)


def test_a_write_through_a_mapping_counts_after_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.touch()
    written_ns = path.stat().st_mtime_ns
    hour_ns = 3_600_000_000_000
    check = CloseCheck()
    check.watched(1)
    check.modified[1, b"file"] = (
        written_ns + hour_ns
    )  # when the clock was an hour ahead
    file = (1, b"file")
    assert check.is_changed(file, bytes(path), written_ns + 1)
    assert not check.is_changed(file, bytes(path), written_ns + 2)


def test_a_file_with_a_time_in_the_future_is_not_reported_at_each_close(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.touch()
    now_ns = time.time_ns()
    ahead_ns = now_ns + 3_600_000_000_000
    os.utime(path, ns=(ahead_ns, ahead_ns))
    check = CloseCheck()
    check.watched(1)
    file = (1, b"file")
    check.modified[file] = now_ns
    assert check.is_changed(file, bytes(path), now_ns + 1)
    assert not check.is_changed(file, bytes(path), now_ns + 2)
