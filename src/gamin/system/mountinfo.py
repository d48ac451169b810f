"""Reads the mounts of this process, and reports when they change.

What the text means is left to `config.mounts`.
"""

import os
import select

_PATH = "/proc/self/mountinfo"

_PIECE_BYTES = 1 << 16
"""Bytes asked for at a time; the kernel returns at most a page or so."""


def read() -> bytes:
    """The text of mountinfo (proc_pid_mountinfo(5)). OSError where /proc is missing."""
    with open(_PATH, "rb") as stream:
        return stream.read()


class MountWatcher:
    """A descriptor that becomes readable when something is mounted or unmounted.

    The kernel announces a change on mountinfo as POLLPRI and POLLERR
    (proc_pid_mounts(5)), which the loop's `add_reader` does not wait for. An epoll
    instance around the file is readable whenever the file has such news. Any poll
    consumes the news, even an inner one whose answer nobody uses. So call `read` once
    after adding the descriptor to the loop, and then each time it is readable: no
    change is missed, and one wake-up too many is harmless.
    """

    def __init__(self) -> None:
        """Raises OSError where there is no /proc, or no descriptor is left."""
        self._file = os.open(_PATH, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._epoll = select.epoll()
        except OSError:
            os.close(self._file)
            raise
        self._epoll.register(self._file, select.EPOLLPRI | select.EPOLLERR)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self) -> bytes:
        """The text of mountinfo now. Consumes the news, and never waits.

        Reads the descriptor that is open, so it needs no other one: a process without
        free descriptors must follow mounts too. The kernel writes a new text when it
        is read from offset 0; a mount that comes between two pieces is news again.
        Raises OSError where the kernel has no memory left for it.
        """
        self._epoll.poll(0)
        pieces: list[bytes] = []
        size = 0
        while piece := os.pread(self._file, _PIECE_BYTES, size):
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._epoll.close()
        os.close(self._file)
