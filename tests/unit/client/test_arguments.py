"""The arguments of a watch, before a server is asked."""

import os
from pathlib import Path

import pytest

from gamin.client.arguments import (
    MAX_PATH_BYTES,
    WatchTimeout,
    absolute,
    as_patterns,
    make_session,
)
from gamin.errors import InvalidPath
from gamin.protocol.watchman.client.watched_path import WatchOptions


def test_one_pattern_is_not_a_sequence_of_letters() -> None:
    assert as_patterns("*.o") == ("*.o",)
    assert as_patterns(["*.o", "tmp/"]) == ("*.o", "tmp/")


def test_a_relative_path_starts_from_the_current_directory() -> None:
    assert absolute("a/./b//c") == os.getcwd() + "/a/b/c"
    assert absolute(b"\xff") == os.getcwd() + "/\udcff"
    assert absolute(Path("/a")) == "/a"


def test_two_leading_slashes_are_one() -> None:
    assert absolute("//a") == "/a"


def test_two_dots_lead_to_the_parent_of_the_target_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "deep" / "target").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/target")
    expected = os.path.realpath(tmp_path / "deep")
    assert absolute(tmp_path / "link" / "..") == expected
    assert absolute(tmp_path / "link") == str(tmp_path / "link")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("", "empty"), ("a\0b", "NUL"), ("/" + "a" * MAX_PATH_BYTES, "longer than 4095")],
)
def test_a_path_that_no_file_can_have_is_an_error(path: str, reason: str) -> None:
    with pytest.raises(InvalidPath, match=reason):
        absolute(path)


def test_a_watch_needs_a_path_and_one_clock_for_each() -> None:
    with pytest.raises(ValueError, match="no path"):
        make_session([], WatchOptions(), None)
    with pytest.raises(ValueError, match="2 clocks for 1 paths"):
        make_session(["/a"], WatchOptions(), "c:1:2:3:4,c:1:2:3:5")


def test_a_timeout_is_also_an_error_of_the_standard_library() -> None:
    error = WatchTimeout(0.5)
    assert isinstance(error, TimeoutError)
    assert str(error) == "nothing happened for 0.5 s"
