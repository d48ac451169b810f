import logging
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.system.debug_log import (
    DebugLog,
    EscapingFormatter,
    fit_level,
    is_wanted,
    open_debug_file,
)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.debugging")
    logger.propagate = False
    log = logging.NullHandler(logging.WARNING)
    logger.addHandler(log)
    fit_level(logger)
    yield logger
    logger.removeHandler(log)


@pytest.fixture
def debug(logger: logging.Logger, tmp_path: Path) -> Iterator[DebugLog]:
    debug = DebugLog(logger, lambda: "clients: 2\nname: \x1b[2J", str(tmp_path))
    yield debug
    debug.stop()


def test_any_value_of_the_variable_asks_for_debugging() -> None:
    assert is_wanted({"GAM_DEBUG": ""})
    assert not is_wanted({"GAM_DEBUGGER": "1"})


def test_the_level_of_a_logger_is_the_lowest_of_its_handlers() -> None:
    logger = logging.Logger("tests.levels")
    for level in (logging.ERROR, logging.INFO, logging.NOTSET):
        logger.addHandler(logging.NullHandler(level))
    fit_level(logger)
    assert logger.level == logging.INFO
    logger.handlers.clear()
    fit_level(logger)
    assert logger.level == logging.NOTSET


def test_every_debug_file_is_fresh_and_private(tmp_path: Path) -> None:
    paths = []
    for _ in range(2):
        stream, path = open_debug_file(str(tmp_path))
        stream.close()
        paths.append(path)
        assert Path(path).name.startswith("gamin_debug_")
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert len(set(paths)) == 2


def test_the_file_begins_with_the_dump_and_holds_the_lines_logged_while_on(
    debug: DebugLog, logger: logging.Logger
) -> None:
    logger.debug("before")
    path = debug.toggle()
    logger.debug("within")
    assert debug.toggle() is None
    logger.debug("after")

    assert path is not None
    lines = Path(path).read_text().splitlines()
    assert lines[:2] == ["clients: 2", r"name: \x1b[2J"]
    assert len(lines) == 3
    assert lines[2].endswith("DEBUG tests.debugging: within")


def test_switching_off_gives_the_logger_its_level_back(
    debug: DebugLog, logger: logging.Logger
) -> None:
    handlers = list(logger.handlers)  # pytest may have put its own
    debug.start()
    debug.start()
    assert logger.isEnabledFor(logging.DEBUG)
    debug.stop()
    debug.stop()
    assert logger.level == logging.WARNING
    assert logger.handlers == handlers


def test_a_file_that_cannot_be_made_leaves_it_off(
    logger: logging.Logger, tmp_path: Path
) -> None:
    debug = DebugLog(logger, str, str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        debug.toggle()
    assert not debug.is_on
    assert logger.level == logging.WARNING


def test_a_disk_without_space_leaves_no_file_and_debugging_off(
    logger: logging.Logger, tmp_path: Path
) -> None:
    """A limit on the size of files fails as a full disk does, with another number."""
    debug = DebugLog(logger, lambda: "state", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            debug.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not debug.is_on
    assert not list(tmp_path.iterdir())


def test_a_file_name_that_is_not_utf_8_can_be_written(
    debug: DebugLog, logger: logging.Logger
) -> None:
    path = debug.start()
    logger.debug("seen %s", b"\xff\n".decode(errors="surrogateescape"))
    assert Path(path).read_text().endswith("seen \\udcff\\n\n")


def record(message: str, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("gamin", logging.INFO, "", 0, message, (), info)


def test_a_message_cannot_forge_a_line() -> None:
    formatter = EscapingFormatter("%(levelname)s %(message)s")
    assert formatter.format(record("a\nINFO b\x07")) == r"INFO a\nINFO b\x07"


def test_the_lines_of_a_traceback_are_indented_and_escaped() -> None:
    formatter = EscapingFormatter("%(levelname)s %(message)s")
    text = formatter.format(record("failed", OSError("x\nINFO forged \x1b[2J")))
    first, *others = text.split("\n")
    assert first == "INFO failed"
    assert others
    assert all(line.startswith("    ") for line in others)
    assert "\x1b" not in text
