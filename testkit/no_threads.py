"""The state of a process that cannot start any more threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


@contextmanager
def no_thread_can_start() -> Iterator[None]:
    """Starting a thread in this block raises what Python raises where the system
    refuses."""
    error = RuntimeError("can't start new thread")
    with patch.object(threading.Thread, "start", side_effect=error):
        yield
