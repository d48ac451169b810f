import logging

import pytest

from gamin.daemon.io.error_log import log_exception

LOGGER = logging.getLogger("gamin.test")


def test_the_exception_is_logged_with_the_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log_exception(LOGGER, "%s is wrong", "it")
    assert "it is wrong" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_without_memory_for_the_line_the_caller_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: object, **_names: object) -> logging.LogRecord:
        raise MemoryError

    monkeypatch.setattr(LOGGER, "makeRecord", fail)
    log_exception(LOGGER, "it is wrong")
