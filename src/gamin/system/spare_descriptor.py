"""A descriptor kept in reserve, so that directories can be listed without a free one.

Clients may use up all descriptors of the server. What they do must not keep others from
hearing of new directories, and must not have an ignore file count as missing, so the
loop's thread has one descriptor that nothing else can take. Other threads must not
borrow it: one that waits for a mount would keep it from the loop.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}


class SpareDescriptor:
    def __init__(self) -> None:
        self._fd: int | None = None
        self._owner: int | None = None
        """The thread that may borrow it: the one that called `hold` first."""

    @property
    def is_held(self) -> bool:
        """Whether it can be lent."""
        return self._fd is not None

    @property
    def is_missing(self) -> bool:
        """Whether it is to be held and could not be taken so far."""
        return self._fd is None and self._owner is not None

    def hold(self) -> None:
        """Take one, if none is held and one is free, for this thread to borrow."""
        if self._owner is None:
            self._owner = threading.get_ident()
        if self._fd is None:
            try:
                self._fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in _NO_DESCRIPTOR:
                    raise

    def hold_again(self) -> None:
        """Take one if one should be held, and was taken by others while it was lent."""
        if self.is_missing and self._owner == threading.get_ident():
            self.hold()

    def release(self) -> None:
        """Give it back to the process, for good."""
        self._owner = None
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    @contextmanager
    def lent(self, error: OSError) -> Iterator[None]:
        """A block for which a descriptor is free, after opening something raised
        `error`.

        Raises `error` unless it means that no descriptor is free, the spare is held,
        and this thread may borrow it.
        """
        is_ours = self._owner == threading.get_ident()
        if error.errno not in _NO_DESCRIPTOR or not is_ours or self._fd is None:
            raise error
        self._close()
        try:
            yield
        finally:
            self.hold()

    def list_after(self, error: OSError, path: bytes) -> list[os.DirEntry[bytes]]:
        """List a directory after scandir() raised `error`; see `lent`."""
        with self.lent(error), os.scandir(path) as entries:
            return list(entries)


SPARE = SpareDescriptor()
"""The one of this process. Only a server holds it."""
