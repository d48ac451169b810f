"""Generations of inodes: in handles of known layouts, and of real files."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.system.generation import Generations, decode

INODE = 0x1_2345_6789


@pytest.mark.parametrize(
    ("kind", "handle"),
    [
        (0x01, struct.pack("=II", INODE & 0xFFFF_FFFF, 7)),
        (0x01, struct.pack("=III", 7, INODE & 0xFFFF_FFFF, INODE >> 32)),
        (0x81, struct.pack("=QI", INODE, 7)),
        (0x4D, struct.pack("=QQI", INODE, 5, 7)),
    ],
    ids=["ext4", "tmpfs", "XFS", "Btrfs"],
)
def test_the_generation_is_read_where_the_inode_is_the_right_one(
    kind: int, handle: bytes
) -> None:
    assert decode(kind, handle, INODE) == 7
    assert decode(kind, handle, INODE + 1) is None
    assert decode(kind + 1, handle, INODE) is None


@given(st.integers(0, 255), st.binary(max_size=32), st.integers(0, 2**64 - 1))
def test_any_other_handle_has_none_or_a_number(
    kind: int, handle: bytes, inode: int
) -> None:
    found = decode(kind, handle, inode)
    assert found is None or 0 <= found < 2**32


def test_a_file_that_is_gone_or_another_one_has_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    inode = file.stat().st_ino
    assert Generations().of(bytes(file), inode + 1) is None
    file.unlink()
    assert Generations().of(bytes(file), inode) is None


def test_a_file_keeps_its_generation_and_a_link_has_its_own(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    inode = file.stat().st_ino
    first = Generations().of(bytes(file), inode)
    moved = file.rename(tmp_path / "moved")
    assert Generations().of(bytes(moved), inode) == first
    (tmp_path / "link").symlink_to(moved)
    assert Generations().of(bytes(tmp_path / "link"), inode) is None


def test_one_buffer_serves_many_files(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "two")]
    for file in files:
        file.touch()
    inodes = [file.stat().st_ino for file in files]
    shared = Generations()
    for file, inode in zip(files * 2, inodes * 2, strict=True):
        assert shared.of(bytes(file), inode) == Generations().of(bytes(file), inode)
    assert shared.of(bytes(files[0]), inodes[1]) is None


def test_nothing_is_opened_to_find_it(tmp_path: Path) -> None:
    """A FIFO would block, and a file that may not be read would refuse."""
    os.mkfifo(tmp_path / "pipe")
    secret = tmp_path / "secret"
    secret.touch(mode=0)
    for path in (tmp_path / "pipe", secret):
        inode = path.stat().st_ino
        found = Generations().of(bytes(path), inode)
        assert found == Generations().of(bytes(path), inode)
