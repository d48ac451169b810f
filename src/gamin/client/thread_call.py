"""A call in another thread, whose result may become unwanted before it is there."""

import threading
from typing import Any

from gamin.client.driver import Call


class ThreadCall:
    """A thread cannot be cancelled, so whoever comes last discards the result."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._results: list[Any] = []

    def run(self) -> Any:
        """Make the call; for the thread."""
        result = self._call.function()
        with self._lock:
            self._results.append(result)
            self._discard_if_abandoned()
        return result

    def abandon(self) -> None:
        """The result is not wanted any more."""
        with self._lock:
            self._is_abandoned = True
            self._discard_if_abandoned()

    def _discard_if_abandoned(self) -> None:
        if self._is_abandoned and self._call.discard is not None:
            while self._results:
                self._call.discard(self._results.pop())
