"""A pytest plugin: a library's own tests, over the service.

SUITE_REPLACE names the library whose engine is replaced; without it nothing is. With
SUITE_WITHOUT_OPENS, watchdog's test_emitter neither expects nor sees the events of
opens, which the service never reports.
"""

import os
from importlib import import_module
from queue import Queue
from typing import Any

import pytest

import gamin.compat

UNREPORTED = frozenset({"FileOpenedEvent", "FileClosedNoWriteEvent"})

if os.environ.get("SUITE_REPLACE"):
    gamin.compat.install(os.environ["SUITE_REPLACE"])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Change the helpers of the tests, which are imported by now."""
    if not os.environ.get("SUITE_WITHOUT_OPENS"):
        return
    helpers: Any = import_module("tests.utils")

    class ReportedQueue(Queue[Any]):
        def put(self, item: Any, *args: Any, **options: Any) -> None:
            if type(item[0]).__name__ not in UNREPORTED:
                super().put(item, *args, **options)

    own_init, own_add = helpers.Helper.__init__, helpers._EventsChecker.add

    def init(self: Any, *args: Any, **options: Any) -> None:
        own_init(self, *args, **options)
        self.event_queue = ReportedQueue()

    def add(self: Any, expected: type, *args: Any, **options: Any) -> None:
        if expected.__name__ not in UNREPORTED:
            own_add(self, expected, *args, **options)

    helpers.Helper.__init__, helpers._EventsChecker.add = init, add
