import logging
import os
from collections.abc import Iterator

import pytest

from gamin.daemon.process.stderr import NonBlockingStderrHandler


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def remark(text: str) -> logging.LogRecord:
    return logging.LogRecord("test", logging.WARNING, "", 0, text, None, None)


def test_a_remark_is_a_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    NonBlockingStderrHandler(writer).emit(remark("all is well"))
    assert os.read(reader, 100) == b"all is well\n"


def test_unread_lines_are_lost_and_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    remarks = NonBlockingStderrHandler(writer)
    for _ in range(200):
        remarks.emit(remark("x" * 1000))
    written = os.read(reader, 1 << 20).count(b"\n")
    remarks.emit(remark("again"))
    lost = 200 - written
    assert lost > 0
    assert (
        os.read(reader, 100)
        == f"({lost} lines lost: nobody read them)\nagain\n".encode()
    )


def test_a_long_one_is_cut_and_never_waits(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    NonBlockingStderrHandler(writer).emit(remark("x" * 100_000))
    assert os.read(reader, 1 << 20) == b"x" * 4095 + b"\n"


def test_a_closed_standard_error_causes_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    NonBlockingStderrHandler(writer).emit(remark("hello?"))
    os.close(writer)
