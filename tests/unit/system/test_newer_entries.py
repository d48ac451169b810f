"""Which entries of a directory have a new ctime."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.system.newer_entries import NewerEntries, open_directory

FAR_NS = 1 << 62
"""A real time that no test lives to see."""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    fd = open_directory(bytes(tmp_path))
    yield fd
    os.close(fd)


NAMES = [b"a", b"b", b"sub", b"link", b"gone"]


def ctime_ns(path: Path) -> int:
    return path.lstat().st_ctime_ns


def test_files_and_links_of_a_later_time_are_newer(
    directory: int, tmp_path: Path
) -> None:
    since = max(ctime_ns(tmp_path / "b"), ctime_ns(tmp_path / "link")) + 1
    while ctime_ns(tmp_path / "b") < since:
        os.utime(tmp_path / "b")
    while ctime_ns(tmp_path / "link") < since:
        os.utime(tmp_path / "link", follow_symlinks=False)
    assert NewerEntries(since).among(directory, NAMES) == [b"b", b"link"]


def test_a_ctime_equal_to_the_time_is_newer_and_one_before_it_is_not(
    directory: int, tmp_path: Path
) -> None:
    stamp = ctime_ns(tmp_path / "a")
    if stamp % 1_000_000_000 == 0:
        pytest.skip("this file system keeps whole seconds")
    assert NewerEntries(stamp).among(directory, [b"a"]) == [b"a"]
    assert NewerEntries(stamp + 1).among(directory, [b"a"]) == []


def test_a_directory_is_newer_when_its_rights_change_and_not_with_its_entries(
    directory: int, tmp_path: Path
) -> None:
    since = ctime_ns(tmp_path / "sub") + 1
    while (tmp_path / "sub").stat().st_mtime_ns < since:
        (tmp_path / "sub/file").touch()
        (tmp_path / "sub/file").unlink()
    assert NewerEntries(since).among(directory, [b"sub"]) == []
    os.utime(tmp_path / "sub", (0, 0))
    while ctime_ns(tmp_path / "sub") < since:
        os.chmod(tmp_path / "sub", 0o700)
    assert NewerEntries(since).among(directory, [b"sub"]) == [b"sub"]


def test_nothing_is_newer_than_the_far_future(directory: int) -> None:
    assert NewerEntries(FAR_NS).among(directory, NAMES) == []


def test_everything_that_is_there_is_newer_than_the_past(directory: int) -> None:
    assert NewerEntries(1).among(directory, [b"a", b"link", b"gone"]) == [b"a", b"link"]


def test_a_directory_without_the_right_to_list_it_can_be_looked_into(
    directory: int, tmp_path: Path
) -> None:
    os.chmod(tmp_path, 0o300)
    again = open_directory(bytes(tmp_path))
    try:
        assert NewerEntries(1).among(again, [b"a"]) == [b"a"]
    finally:
        os.close(again)
        os.chmod(tmp_path, 0o700)


def test_a_link_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "to").symlink_to("there")
    with pytest.raises(OSError, match="directory"):
        open_directory(bytes(tmp_path / "to"))


def test_whole_seconds_may_mean_the_two_that_follow() -> None:
    from gamin.system.newer_entries import _latest

    assert _latest(5, 0) == 7_000_000_000
    assert _latest(5, 1) == 5_000_000_001
    assert time.time_ns() < FAR_NS
