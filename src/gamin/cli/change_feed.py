"""The changes of a `gamin.watch`, received in a thread beside the main loop."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress

from gamin.events import Event


class ChangeFeed:
    """Receives batches until the watch is closed."""

    def __init__(self, watch: Iterable[list[Event]]) -> None:
        self._watch = watch
        self._paths: deque[list[str]] = deque()
        self._error: BaseException | None = None
        self._has_ended = False
        """Set by the thread when it has put down the last batch or the error."""
        self._is_over = False
        self._arrival = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Readable when `take` has something to return or to raise."""
        return self._arrival

    def take(self) -> list[str]:
        """The paths that changed since the last call. Raises what the watch raised."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._arrival)
        has_ended = self._has_ended  # asked first: nothing can follow the end
        paths: list[str] = []
        while self._paths:
            paths += self._paths.popleft()
        if not has_ended:
            return paths
        if paths:
            os.eventfd_write(self._arrival, 1)  # the next call returns the end
            return paths
        self._is_over = True
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return paths

    @property
    def is_over(self) -> bool:
        """Whether `take` has returned or raised the end of the watch."""
        return self._is_over

    def join(self) -> None:
        """Wait for the end of the thread; close the watch before."""
        self._thread.join()
        os.close(self._arrival)

    def _receive(self) -> None:
        try:
            for batch in self._watch:
                self._paths.append(list(paths_of(batch)))
                os.eventfd_write(self._arrival, 1)
        except BaseException as error:  # raised again in the main thread
            self._error = error
        self._has_ended = True
        os.eventfd_write(self._arrival, 1)


def paths_of(batch: Iterable[Event]) -> Iterator[str]:
    """Every path that a batch speaks of; a move has two."""
    for event in batch:
        yield event.path
        if event.dest is not None:
            yield event.dest
