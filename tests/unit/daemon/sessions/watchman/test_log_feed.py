"""The server's log as messages."""

import logging
import threading
from collections.abc import Iterator

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman import log_feed as module
from gamin.daemon.sessions.watchman.log_feed import LogFeed
from testkit.doubles.listeners import Listener


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.feed")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    before = list(logger.handlers)
    yield logger
    logger.handlers[:] = before


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_a_client_gets_what_has_its_level_or_a_higher_one(
    loop: Loop, logger: logging.Logger
) -> None:
    feed = LogFeed(loop, logger)
    curious, other, gone = Listener(), Listener(), Listener()
    feed.set_level(curious, logging.DEBUG)
    feed.set_level(other, logging.WARNING)
    feed.set_level(gone, logging.DEBUG)
    feed.set_level(gone, None)
    logger.debug("small\x1b[2J")
    logger.warning("large")
    loop.run_once(0)
    assert curious.log_lines() == [("debug", "small\\x1b[2J\n"), ("error", "large\n")]
    assert other.log_lines() == [("error", "large\n")]
    assert gone.messages == []
    assert all(message["unilateral"] for message in curious.messages)


def test_the_logger_is_as_before_when_the_last_client_has_left(
    loop: Loop, logger: logging.Logger
) -> None:
    handlers = list(logger.handlers)  # pytest may have put its own
    feed, client = LogFeed(loop, logger), Listener()
    feed.set_level(client, None)  # it had none
    feed.set_level(client, logging.DEBUG)
    logger.debug("not sent any more")
    feed.set_level(client, None)
    assert logger.handlers == handlers
    assert not logger.isEnabledFor(logging.DEBUG)
    loop.run_once(0)
    assert client.messages == []


def test_what_another_thread_reports_wakes_the_loop(
    loop: Loop, logger: logging.Logger
) -> None:
    feed, client = LogFeed(loop, logger), Listener()
    feed.set_level(client, logging.WARNING)
    thread = threading.Thread(target=logger.warning, args=["from afar"])
    thread.start()
    loop.run_once(30)  # returns when there is something to do
    thread.join()
    assert client.log_lines() == [("error", "from afar\n")]
    feed.set_level(client, None)


def test_a_client_that_does_not_read_learns_later_how_much_it_lost(
    loop: Loop, logger: logging.Logger
) -> None:
    feed, client = LogFeed(loop, logger), Listener()
    feed.set_level(client, logging.WARNING)
    client.is_blocked = True
    for _ in range(3):
        logger.warning("lost")
    loop.run_once(0)
    client.is_blocked = False
    logger.warning("seen")
    loop.run_once(0)
    assert "3 lines lost" in client.messages[0]["log"]
    assert client.log_lines()[1] == ("error", "seen\n")


def test_what_waits_and_what_one_line_holds_is_bounded(
    loop: Loop, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PENDING", 2)
    feed, client = LogFeed(loop, logger), Listener()
    feed.set_level(client, logging.WARNING)
    for _ in range(4):
        logger.warning("x" * (2 * module.MAX_LINE))
    loop.run_once(0)
    assert len(client.messages) == 2
    assert len(client.messages[0]["log"]) == module.MAX_LINE + 1
