"""One listening socket: bound where nobody listens, never in place of a live one.

`addresses` decides which of them a server should have.
"""

import errno
import os
import socket
import stat
import time
from enum import Enum
from typing import NamedTuple

from gamin.errors import GaminError
from gamin.paths import printable
from gamin.system.address import Address
from gamin.system.dial import AddressInUse, ServerBusy, dial_abstract, dial_file
from gamin.system.peercred import peer_of
from gamin.system.socketdir import Directory, UnsafeSocketPath, notify_removals

_BACKLOG = 1024
"""Connections that wait to be accepted while the server starts or is busy; the kernel
limits this to net.core.somaxconn."""

_PROBE_TIMEOUT = 0.5
"""Seconds for a live server to queue a connection, and for one that has bound a name to
begin listening. Both take microseconds, but more on a heavily loaded machine."""

_PAUSE = 0.005
"""Seconds between two attempts to get a name."""

LOCK_PATIENCE = 2.0
"""Seconds that a starting server waits for the lock of a directory."""

_CLOSE_PATIENCE = 0.2
"""Seconds that an ending server waits for the lock of a directory."""


class Language(Enum):
    """The protocol that is spoken at a socket."""

    ORIGINAL = "original"
    WATCHMAN = "watchman"


class AlreadyRunning(GaminError):
    """Another server of this user is alive there."""

    def __init__(self, place: str, pid: int) -> None:
        super().__init__(place, pid)
        self.place = place
        self.pid = pid

    def __str__(self) -> str:
        return f"{self.place} is already served by process {self.pid or 'unknown'}"


class DirectoryRemoved(Exception):
    """The directory was removed between opening and locking it: make it again."""


class SocketFile(NamedTuple):
    """A socket file that this process made."""

    directory: Directory
    name: bytes
    identity: tuple[int, int]

    @property
    def path(self) -> bytes:
        return self.directory.path + b"/" + self.name

    def is_reachable(self) -> bool:
        """Whether its path still leads to it; a descriptor would outlive the path."""
        return _is_at(self.path, self.identity)

    def remove(self) -> None:
        """Remove the file if it still is the one we made, and its empty directory.

        A process that keeps the lock for no good reason does not prevent the first.
        """
        try:
            with self.directory.locked(_CLOSE_PATIENCE):
                self._remove_own()
                self.directory.remove_if_empty()
        except UnsafeSocketPath:
            self._remove_own()

    def release(self) -> None:
        """Remove the file and release its directory."""
        self.remove()
        self.directory.close()

    def _remove_own(self) -> None:
        status = self.directory.status(self.name)
        if status is not None and _identity(status) == self.identity:
            self.directory.remove(self.name)


class PassedFile(NamedTuple):
    """A socket file that a service manager made, keeps, and will pass on again."""

    path: bytes

    def is_reachable(self) -> bool:
        """Only the manager can replace it, so there is nothing to find out."""
        return True

    def release(self) -> None:
        """It stays: whoever connects next makes the manager start the next server."""


class OwnFile:
    """A socket file that `gamin watchman` made for this process in a state directory.

    Nobody else makes it again: the next server would not get the lock of the pidfile.
    """

    def __init__(self, path: bytes) -> None:
        """Raises OSError."""
        self.path: bytes = path
        status = os.lstat(path)
        self._identity = _identity(status)
        self._mode, self._group = status.st_mode, status.st_gid
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self._directory = os.open(os.path.dirname(path), flags)

    def is_reachable(self) -> bool:
        """As that of `SocketFile`."""
        return _is_at(self.path, self._identity)

    def notify_removals(self) -> None:
        """As `Directory.notify_removals`."""
        notify_removals(self._directory)

    def release(self) -> None:
        """The file stays: where nobody listens, the next server removes it."""
        os.close(self._directory)

    def listen_again(self) -> socket.socket:
        """Make the file again, with the rights that it had. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(self.path)
            # Nobody can connect before it listens, whatever its rights are.
            os.chown(self.path, -1, self._group)
            os.chmod(self.path, stat.S_IMODE(self._mode))
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except BaseException:
            listening.close()
            raise
        return listening


class Listener(NamedTuple):
    """A listening, non-blocking socket, and the language that is spoken there."""

    language: Language
    socket: socket.socket
    where: str  # to be shown
    file: SocketFile | PassedFile | OwnFile | None = None  # None: the abstract name

    def is_reachable(self) -> bool:
        return self.file is None or self.file.is_reachable()

    def close(self) -> None:
        # The file is removed first, so that nobody connects to a closed socket.
        if self.file is not None:
            self.file.release()
        self.socket.close()


def bind_abstract(address: Address) -> Listener | None:
    """Take the abstract name if it is free; the kernel lets one process do so."""
    try:
        listening = _listening(address.abstract)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return Listener(Language.ORIGINAL, listening, address.shown_abstract)


def claim_abstract(address: Address) -> Listener:
    """Take the abstract name. Raises AlreadyRunning and AddressInUse."""
    deadline = time.monotonic() + _PROBE_TIMEOUT
    while True:
        listener = bind_abstract(address)
        if listener is not None:
            return listener
        try:
            with dial_abstract(address, _PROBE_TIMEOUT) as live:
                raise AlreadyRunning(address.shown_abstract, peer_of(live).pid)
        except ServerBusy as busy:
            raise AlreadyRunning(address.shown_abstract, busy.pid) from busy
        except ConnectionRefusedError as error:
            # Its holder will listen in a moment, or has just ended, or never will.
            if time.monotonic() > deadline:
                holder = "a program that does not listen"
                raise AddressInUse(address.shown_abstract, holder) from error
            time.sleep(_PAUSE)


def claim_file(
    directory: Directory,
    name: bytes,
    language: Language,
    patience: float = LOCK_PATIENCE,
) -> Listener:
    """Listen at `name` in `directory`, which the listener closes when it closes.

    The directory is locked, so that a file where nobody listens belongs to a dead
    server and not to one that is starting. Raises AlreadyRunning; DirectoryRemoved; and
    UnsafeSocketPath where an object cannot be removed, or the lock is not to be had
    within `patience` seconds. A live server may take so long to take a call, too.
    """
    path = directory.path + b"/" + name
    with directory.locked(patience):
        if not directory.is_in_place():
            raise DirectoryRemoved(path)
        if directory.has_socket(name):
            _make_way(directory, name, min(patience, _PROBE_TIMEOUT))
        try:
            listening = _listening(directory.place(name))
        except OSError as error:
            raise UnsafeSocketPath(
                path, f"it cannot be bound: {error.strerror}"
            ) from error
        status = directory.status(name)
    if status is None:
        listening.close()
        raise UnsafeSocketPath(path, "it is removed as soon as it is made")
    file = SocketFile(directory, name, _identity(status))
    return Listener(language, listening, printable(path), file)


def _make_way(directory: Directory, name: bytes, patience: float) -> None:
    path = directory.path + b"/" + name
    try:
        with dial_file(directory, name, patience) as live:
            raise AlreadyRunning(printable(path), peer_of(live).pid)
    except (ConnectionRefusedError, FileNotFoundError):
        directory.remove(name)
    except BlockingIOError as error:
        raise AlreadyRunning(printable(path), 0) from error


def _listening(where: bytes) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(where)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _is_at(path: bytes, identity: tuple[int, int]) -> bool:
    """Whether the path leads to the file with this identity."""
    try:
        return _identity(os.lstat(path)) == identity
    except OSError:
        return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    """The inode's number alone would soon belong to another file."""
    return status.st_ino, status.st_ctime_ns
