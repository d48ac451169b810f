"""What is at a path and in a directory, and whether it changed since a given time."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from gamin.system.filesystem import Probe, changed_since, probe, scan


def test_a_probe_finds_a_directory_a_file_or_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert probe(bytes(tmp_path), 0) == Probe(True)
    assert probe(bytes(tmp_path / "file"), 0) == Probe(False)
    assert probe(bytes(tmp_path / "link"), 1) == Probe(b"file")


def test_a_probe_of_nothing_is_certain(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert probe(bytes(tmp_path / "missing"), 0) == Probe(None)
    assert probe(bytes(tmp_path / "file/below"), 0) == Probe(None)
    assert probe(bytes(tmp_path / ("x" * 300)), 0) == Probe(None)
    assert probe(b"/a\0b", 0) == Probe(None)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_probe_that_fails_is_not_certain(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: bytes) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "lstat", fails)
    assert probe(b"/any", 0) == Probe(None, error=number)


def test_a_change_at_the_given_time_counts_as_since_then(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    ctime = path.stat().st_ctime_ns
    assert probe(bytes(path), ctime).is_newer
    assert not probe(bytes(path), ctime + 1).is_newer
    assert scan(bytes(tmp_path), ctime) == ([], [b"file"], [b"file"])
    assert scan(bytes(tmp_path), ctime + 1) == ([], [b"file"], [])
    assert scan(bytes(tmp_path), 0) == ([], [b"file"], ())


def test_an_entry_that_is_gone_has_not_changed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    entries = list(os.scandir(bytes(tmp_path)))
    (tmp_path / "file").unlink()
    assert changed_since(entries, 1) == []


def test_a_link_to_a_directory_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("sub")
    directories, others, _ = scan(bytes(tmp_path), 0)
    assert directories == [b"sub"]
    assert sorted(others) == [b"file", b"link"]
    assert scan(bytes(tmp_path / "sub"), 0) == ([], [], ())


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_path_that_is_no_directory_cannot_be_scanned(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=name):
        scan(bytes(tmp_path / name), 0)
