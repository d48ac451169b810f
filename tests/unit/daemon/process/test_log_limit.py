"""Lines of one kind are limited, and what was left out is counted."""

import logging

import pytest

from gamin.daemon.process.log_limit import (
    DEFAULTS,
    FORMAT,
    MAX_LINES,
    SPAN_SECONDS,
    LogLimit,
)

REFUSED = 1
DROPPED = 2
"""Numbers of the lines of the program that write these messages."""


class Log:
    """What a handler with the limit writes, and after it one without."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._limit = LogLimit(lambda: self.now)
        self._formatter = logging.Formatter(FORMAT, defaults=DEFAULTS)
        self.lines: list[str] = []
        self.all: list[str] = []

    def write(
        self,
        text: str,
        *args: object,
        level: int = logging.WARNING,
        line: int = REFUSED,
    ) -> None:
        record = logging.LogRecord("gamin", level, "", line, text, args, None)
        if self._limit.filter(record):
            self.lines.append(self._formatter.format(record))
        self.all.append(logging.Formatter().format(record))


@pytest.fixture
def log() -> Log:
    return Log()


def test_more_lines_of_a_kind_than_the_limit_are_left_out(log: Log) -> None:
    for number in range(MAX_LINES + 5):
        log.write("pid %d refused", number)
    assert log.lines == [f"pid {number} refused" for number in range(MAX_LINES)]


def test_lines_of_another_kind_are_written_all_the_same(log: Log) -> None:
    for number in range(MAX_LINES + 5):
        log.write("pid %d refused", number)
    log.write("pid %d dropped", 1, line=DROPPED)
    assert log.lines[-1] == "pid 1 dropped"


def test_lines_of_one_statement_are_of_one_kind_whatever_their_text(log: Log) -> None:
    for number in range(MAX_LINES + 5):
        log.write(f"pid {number} refused")
    assert len(log.lines) == MAX_LINES


def test_the_next_line_after_a_while_says_how_many_were_left_out(log: Log) -> None:
    for number in range(MAX_LINES + 5):
        log.write("100%% of %d", number)
    log.now += SPAN_SECONDS
    log.write("100%% of %d", 7)
    log.write("100%% of %d", 8)
    assert log.lines[-2:] == [
        "100% of 7 (5 more lines like this were left out)",
        "100% of 8",
    ]
    assert log.all[-2:] == ["100% of 7", "100% of 8"]


def test_debug_lines_are_not_limited(log: Log) -> None:
    for _ in range(MAX_LINES * 2):
        log.write("change", level=logging.DEBUG)
    assert len(log.lines) == MAX_LINES * 2
