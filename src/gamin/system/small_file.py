"""Opens small files that clients or users wrote, never waiting for what is no file."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from gamin.system.spare_descriptor import SPARE


@contextmanager
def opened(path: bytes, *, follows: bool = True) -> Iterator[BinaryIO]:
    """The file, for reading; on the loop's thread even without a free descriptor.

    `follows`: a symlink at the end of the path is followed. Raises OSError, also for a
    directory, and ValueError for a path with a NUL in it.
    """
    opener = _open if follows else _open_itself
    with ExitStack() as stack:
        try:
            # open() closes what an opener returned if it is a directory; it does not
            # close a descriptor that it is given.
            file = stack.enter_context(open(path, "rb", opener=opener))
        except OSError as error:
            stack.enter_context(SPARE.lent(error))
            file = stack.enter_context(open(path, "rb", opener=opener))
        yield file


def _open(path: str, flags: int) -> int:
    # O_NONBLOCK: opening a named pipe would wait for a writer.
    return os.open(path, flags | os.O_NONBLOCK)


def _open_itself(path: str, flags: int) -> int:
    return _open(path, flags | os.O_NOFOLLOW)
