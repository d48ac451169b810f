"""The inotify descriptor, against the real kernel."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.events import CREATE
from gamin.system import libc
from gamin.system.inotify import HEADER, RECORDS, Reader, limit, open_instance


@pytest.fixture
def descriptor() -> Iterator[int]:
    fd = open_instance()
    yield fd
    os.close(fd)


def test_an_instance_does_not_block_and_is_closed_on_exec(descriptor: int) -> None:
    assert not os.get_blocking(descriptor)
    assert not os.get_inheritable(descriptor)


def test_an_empty_queue_reads_as_no_bytes(descriptor: int) -> None:
    reader = Reader(descriptor)
    assert reader.queued() == 0
    assert reader.read() == b""


def test_a_queued_event_is_counted_and_read_whole(
    descriptor: int, tmp_path: Path
) -> None:
    watch = libc.inotify_add_watch(descriptor, os.fsencode(tmp_path), CREATE)
    (tmp_path / "name").touch()
    reader = Reader(descriptor)
    size = reader.queued()
    record = reader.read()
    assert len(record) == size
    padded = size - HEADER.size
    assert RECORDS[padded].unpack(record) == (
        *(watch, CREATE, 0, padded),
        b"name".ljust(padded, b"\0"),
    )
    assert reader.queued() == 0


def test_a_limit_is_a_positive_number() -> None:
    assert limit("max_user_watches") > 0


def test_an_unknown_limit_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        limit("nothing")
