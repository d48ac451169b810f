"""Lines of one kind are limited, and what was left out is counted."""

import logging

import pytest

from gamin.daemon.process.log_limit import MAX_LINES, SPAN_SECONDS, LogLimit


class Log:
    """The lines that pass the filter."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._limit = LogLimit(lambda: self.now)
        self.lines: list[str] = []

    def write(self, text: str, *args: object, level: int = logging.WARNING) -> None:
        record = logging.LogRecord("gamin", level, "", 0, text, args, None)
        if self._limit.filter(record):
            self.lines.append(record.getMessage())


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
    log.write("pid %d dropped", 1)
    assert log.lines[-1] == "pid 1 dropped"


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


def test_debug_lines_are_not_limited(log: Log) -> None:
    for _ in range(MAX_LINES * 2):
        log.write("change", level=logging.DEBUG)
    assert len(log.lines) == MAX_LINES * 2
