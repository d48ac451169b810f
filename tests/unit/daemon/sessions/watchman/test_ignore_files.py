"""Reading ignore files: a file of that name is not always one."""

import os
from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman.git_rules import read_rules
from gamin.patterns.rule_groups import MAX_PATTERNS, MAX_TEXT
from testkit.descriptors import no_descriptor_is_left_open


def read(path: Path) -> bytes | None:
    """The rules that are read; no descriptor stays open."""
    with no_descriptor_is_left_open():
        return read_rules(os.fsencode(path))


def test_a_file_is_read_as_far_as_it_can_count(tmp_path: Path) -> None:
    file = tmp_path / ".gitignore"
    file.write_bytes(b"a\n")
    assert read(file) == b"a\n"
    file.write_bytes(b"a\n" * MAX_TEXT)
    assert len(read(file) or b"") == MAX_TEXT + 1


def test_a_file_beyond_a_limit_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / ".gitignore"
    file.write_bytes(b"a\n" * (MAX_PATTERNS + 1))
    read(file)
    assert caplog.messages == [
        f"{file} is not followed: it has more than {MAX_PATTERNS} patterns"
    ]


def test_a_missing_one_a_directory_and_a_link_have_no_rules(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    (tmp_path / "file").write_bytes(b"a\n")
    link.symlink_to("file")
    assert [read(path) for path in (tmp_path / "none", folder, link)] == [None] * 3


def test_a_pipe_in_place_of_an_ignore_file_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not read(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)  # it says nothing
    assert not read(tmp_path / "pipe")
    os.close(writer)
