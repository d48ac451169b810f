"""A descriptor kept in reserve, so that directories can be listed without a free one.

Clients may use up all descriptors of the server. What they do must not keep others from
hearing of new directories, so listing has one descriptor that nothing else can take.
"""

import errno
import os

_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}


class SpareDescriptor:
    def __init__(self) -> None:
        self._fd: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether it can be lent."""
        return self._fd is not None

    def hold(self) -> None:
        """Take one, if none is held and one is free."""
        if self._fd is None:
            try:
                self._fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in _NO_DESCRIPTOR:
                    raise

    def release(self) -> None:
        """Give it back to the process."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def list_after(self, error: OSError, path: bytes) -> list[os.DirEntry[bytes]]:
        """List a directory after scandir() raised `error`.

        Raises `error` unless it means that no descriptor is free and the spare is held.
        """
        if error.errno not in _NO_DESCRIPTOR or self._fd is None:
            raise error
        self.release()
        try:
            with os.scandir(path) as entries:
                return list(entries)
        finally:
            self.hold()


SPARE = SpareDescriptor()
"""The one of this process. Only a server holds it."""
