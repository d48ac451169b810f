"""The state of a process that cannot open any more files."""

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from testkit.waiting import eventually


@contextmanager
def no_free_descriptor() -> Iterator[None]:
    """Whatever opens a file in this block gets EMFILE; what is open stays usable."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def all_descriptors_taken() -> Iterator[None]:
    """All numbers below the soft limit are used, so whoever closes one of its own can
    open another one in its place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as taken:
        top = os.dup(0)
        taken.callback(os.close, top)
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        used = max(top, *(int(name) for name in os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
        while True:
            try:
                taken.callback(os.close, os.dup(0))
            except OSError:
                break
        yield


@contextmanager
def no_descriptor_is_left_open() -> Iterator[None]:
    """Everything that is opened in this block is closed at its end. Threads of earlier
    tests may end meanwhile, so there may be fewer descriptors than before."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before, what="closing")
