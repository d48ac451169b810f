"""Kernel events in the debug log."""

import logging

import pytest

from gamin.daemon.io.change_log import log
from gamin.events import CREATE, IS_DIR, Change


def test_an_event_is_one_line_with_the_names_of_its_bits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "gamin"):
        log([Change(None, CREATE | IS_DIR, 7, b"name")])
    (line,) = caplog.messages
    assert "CREATE" in line
    assert "cookie=7" in line


def test_an_event_of_a_debug_file_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "gamin"):
        log([Change(None, CREATE, 0, b"gamin_debug_x")])
    assert not caplog.messages
