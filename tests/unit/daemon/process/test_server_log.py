import logging
import os
from pathlib import Path

from gamin.daemon.process import server_log


def test_the_first_handler_is_the_log_and_its_level_can_be_set() -> None:
    logger = logging.Logger("tests.log")
    server_log.set_level(logger, logging.DEBUG)  # it has no log yet
    log, other = logging.NullHandler(), logging.NullHandler()
    other.setLevel(logging.ERROR)
    for handler in (log, other):
        logger.addHandler(handler)
    server_log.set_level(logger, logging.DEBUG)
    assert (log.level, logger.level) == (logging.DEBUG, logging.DEBUG)
    server_log.set_level(logger, None)
    assert logger.level == logging.ERROR
    assert log.level > logging.CRITICAL


def test_only_a_regular_file_has_a_path(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w") as file:
        assert server_log.path(file.fileno()) == str(tmp_path / "log")
    outlet, inlet = os.pipe()
    assert server_log.path(inlet) is None
    os.close(inlet)
    os.close(outlet)
    assert server_log.path(inlet) is None
