"""Imports without what a library takes along only where it happens to be installed."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_UNUSED = "typing_extensions"
"""msgspec imports it if it is there, but needs nothing of it from Python 3.11 on. It
brings `inspect`, `ast` and `dis`: 6 ms, half of the import of msgspec, and 1 MB."""


@contextmanager
def lean_import() -> Iterator[None]:
    """What is imported meanwhile does not find typing_extensions, unless somebody has
    imported that before.

    Raises OSError where an import fails because no descriptor is free; for a library
    in C, Python raises ImportError as for one that is gone.
    """
    modules: dict[str, Any] = sys.modules
    is_hidden = _UNUSED not in modules
    if is_hidden:
        modules[_UNUSED] = None  # so an import of it raises ImportError
    try:
        yield
    except ImportError as error:
        _check_descriptors(error)
        raise
    finally:
        if is_hidden:
            del modules[_UNUSED]


def _check_descriptors(failed: ImportError) -> None:
    """Raises OSError if no descriptor is free."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise error from failed
