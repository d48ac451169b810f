"""fanotify: decoding its bytes, and its calls on real directories."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.events import CREATE, DELETE_SELF, IS_DIR, MODIFY, OVERFLOW
from gamin.system import fanotify
from gamin.system.fanotify import ALWAYS, RENAME, SELF, RawEvent
from gamin.system.inotify import Reader

# Written by Linux 6.18 on ext4 and tmpfs.
CREATED_AND_WRITTEN = bytes.fromhex(
    "38000000 03 00 1800 0a01000000000000 ffffffff f2750000"
    "02 00 2000 5686f38bba73217d 08000000 01000000 75c7200044211900 66000000"
)
RENAMED = bytes.fromhex(
    "58000000 03 00 1800 0000001000000000 ffffffff f2750000"
    "0a 00 2000 5686f38bba73217d 08000000 01000000 75c7200044211900 66000000"
    "0c 00 2000 5686f38bba73217d 08000000 01000000 75c7200044211900 67000000"
)
MOVED_IN = bytes.fromhex(
    "38000000 03 00 1800 0000001000000000 ffffffff f2750000"
    "0c 00 2000 5686f38bba73217d 08000000 01000000 75c7200044211900 68000000"
)
GONE = bytes.fromhex(
    "3c000000 03 00 1800 0004004000000000 ffffffff f2750000"
    "02 00 2400 58b9d23b0513e48d 0c000000 01000000 9931f90d0100000000000000 2e000000"
)
OVERFLOWED = bytes.fromhex("18000000 03 00 1800 0040000000000000 ffffffff 00000000")

EXT4 = bytes.fromhex("5686f38bba73217d 08000000 01000000 75c7200044211900")
TMPFS = bytes.fromhex("58b9d23b0513e48d 0c000000 01000000 9931f90d0100000000000000")


@pytest.mark.parametrize(
    ("buffer", "event"),
    [
        pytest.param(CREATED_AND_WRITTEN, RawEvent(0x10A, EXT4, b"f"), id="joined"),
        pytest.param(RENAMED, RawEvent(RENAME, EXT4, b"f", EXT4, b"g"), id="rename"),
        pytest.param(MOVED_IN, RawEvent(RENAME, b"", b"", EXT4, b"h"), id="moved in"),
        pytest.param(GONE, RawEvent(DELETE_SELF | IS_DIR, TMPFS, SELF), id="gone"),
        pytest.param(OVERFLOWED, RawEvent(OVERFLOW, b"", b""), id="overflow"),
    ],
)
def test_one_event(buffer: bytes, event: RawEvent) -> None:
    assert list(fanotify.decode(buffer)) == [event]


def test_several_events_at_once_and_none() -> None:
    events = list(fanotify.decode(CREATED_AND_WRITTEN + OVERFLOWED + RENAMED))
    assert [event.name for event in events] == [b"f", b"", b"f"]
    assert list(fanotify.decode(b"")) == []


def test_a_record_that_was_not_asked_for_is_an_error() -> None:
    process = RENAMED[:24] + b"\x04" + RENAMED[25:]
    with pytest.raises(ValueError, match="kind 4"):
        list(fanotify.decode(process))


@pytest.mark.parametrize("end", range(1, len(RENAMED)))
def test_half_an_event_is_an_error(end: int) -> None:
    with pytest.raises(ValueError, match=r"bytes|event"):
        list(fanotify.decode(RENAMED[:end]))


def test_an_event_without_records_that_ends_after_the_buffer_is_an_error() -> None:
    longer = b"\x3c\0\0\0\3\0\x3c\0" + OVERFLOWED[8:]
    with pytest.raises(ValueError, match="event of 60 bytes"):
        list(fanotify.decode(longer))


def test_another_version_is_an_error() -> None:
    with pytest.raises(ValueError, match="version 4"):
        list(fanotify.decode(RENAMED[:4] + b"\x04" + RENAMED[5:]))


def check_decodes(buffer: bytes) -> None:
    """Events or a ValueError, never anything else."""
    try:
        for event in fanotify.decode(buffer):
            assert event.mask >= 0
            assert len(event.directory) <= len(buffer)
    except ValueError:
        return


@given(st.binary(max_size=200))
def test_any_bytes(buffer: bytes) -> None:
    check_decodes(buffer)


@given(
    buffer=st.sampled_from([CREATED_AND_WRITTEN, RENAMED, GONE]),
    at=st.integers(0, 87),
    byte=st.integers(0, 255),
)
def test_any_byte_wrong(buffer: bytes, at: int, byte: int) -> None:
    check_decodes(buffer[:at] + bytes([byte]) + buffer[at + 1 :])


@pytest.fixture
def group() -> Iterator[int]:
    try:
        fd = fanotify.open_group()
    except OSError as error:
        pytest.skip(f"no fanotify here: {error.strerror}")
    yield fd
    os.close(fd)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    directory = os.open(path, os.O_PATH)
    try:
        yield directory
    finally:
        os.close(directory)


def test_events_call_a_directory_as_identity_does(group: int, tmp_path: Path) -> None:
    with opened(tmp_path) as directory:
        fanotify.mark(group, directory, CREATE | RENAME | ALWAYS)
        identity = fanotify.identity(directory)
    (tmp_path / "old").mkdir()
    (tmp_path / "old").rename(tmp_path / "new")
    assert list(fanotify.decode(Reader(group).read())) == [
        RawEvent(CREATE | IS_DIR, identity, b"old"),
        RawEvent(RENAME | IS_DIR, identity, b"old", identity, b"new"),
    ]


def test_identities_differ_between_directories(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with opened(tmp_path) as one, opened(tmp_path / "sub") as other:
        assert fanotify.identity(one) == fanotify.identity(one)
        assert fanotify.identity(one) != fanotify.identity(other)


def test_a_mask_can_be_reduced(group: int, tmp_path: Path) -> None:
    with opened(tmp_path) as directory:
        fanotify.mark(group, directory, CREATE | MODIFY | ALWAYS)
        fanotify.unmark(group, directory, MODIFY)
        (tmp_path / "new").write_text("text")
        masks = [event.mask for event in fanotify.decode(Reader(group).read())]
        assert masks == [CREATE]
        fanotify.unmark(group, directory, CREATE | ALWAYS)
        with pytest.raises(FileNotFoundError):
            fanotify.unmark(group, directory, CREATE)


def test_only_directories_can_be_marked(group: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with opened(tmp_path / "file") as file, pytest.raises(NotADirectoryError):
        fanotify.mark(group, file, CREATE)


def test_the_limits_are_numbers(group: int) -> None:
    assert fanotify.limit("max_user_marks") > 0
    assert fanotify.limit("max_queued_events") > 0
