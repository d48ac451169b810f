"""Raw status: what makes it differ, and what is read out of it."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.system import statx


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def raw(directory: int, name: bytes) -> bytes:
    found, refused = statx.read(directory, [name])
    assert not refused
    return found[name]


def test_statx_agrees_with_lstat(directory: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"three")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "sub").mkdir()
    for name in ("file", "link", "sub"):
        status = os.lstat(tmp_path / name)
        seen = raw(directory, name.encode())
        assert statx.mode(seen) == status.st_mode
        assert statx.unpack(seen).mode == status.st_mode
        assert statx.unpack(seen).size == status.st_size
        assert statx.identity(seen)[:2] == (
            stat.S_IFMT(status.st_mode),
            status.st_ino,
        )
        seconds = int.from_bytes(statx.unpack(seen).written[:8], sys.byteorder)
        assert seconds == status.st_mtime_ns // 1_000_000_000


def test_missing_entries_are_left_out(directory: int, tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    found, refused = statx.read(directory, [b"gone", b"here"])
    assert (list(found), refused) == ([b"here"], [])


def test_an_inaccessible_entry_is_marked_as_refused(directory: int) -> None:
    found, refused = statx.read(directory, [b"x" * 300])
    assert (found, refused) == ({}, [b"x" * 300])


def test_reading_a_file_twice_gives_equal_bytes(directory: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert raw(directory, b"file") == raw(directory, b"file")


def test_a_write_and_a_chmod_differ_in_their_own_way(
    directory: int, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a")
    before = statx.unpack(raw(directory, b"file"))
    file.chmod(0o600 if before.mode & 0o077 else 0o640)
    chmodded = statx.unpack(raw(directory, b"file"))
    file.write_bytes(b"more")
    written = statx.unpack(raw(directory, b"file"))

    assert chmodded.mode != before.mode
    assert (chmodded.size, chmodded.written) == (before.size, before.written)
    assert written.mode == chmodded.mode
    assert (written.size, written.written) != (before.size, before.written)


def test_two_files_differ_in_identity_and_two_names_of_one_do_not(
    directory: int, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    (tmp_path / "c").hardlink_to(tmp_path / "a")
    a, b, c = (statx.identity(raw(directory, name)) for name in (b"a", b"b", b"c"))
    assert a == c != b


def test_a_kind_is_read_like_the_beginning_of_a_status() -> None:
    kind = statx.kind(stat.S_IFDIR, 77)
    assert statx.mode(kind) == stat.S_IFDIR
    assert statx.identity(kind) == (stat.S_IFDIR, 77, b"")
