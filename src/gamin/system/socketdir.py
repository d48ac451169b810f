"""The checked directory: a place for socket files that only their user can change.

It is made or opened once, checked through its descriptor, and used relative to that
descriptor, so that nothing can be exchanged between the check and the use.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from gamin.errors import ServerError
from gamin.paths import printable

MODE = 0o700
"""The mode of the directory. The document says 007, which would lock the owner out and
let everyone else in; the original implementation uses 0700, too."""

_TRIES = 5
"""Checks before giving up. Each removal of a wrong object starts the check again, and
an attacker may put a new one there every time."""

_LOCK_PAUSE = 0.01
"""Seconds between two attempts to lock a directory."""

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeSocketPath(ServerError):
    """A wrong object has the name of our directory or socket and cannot be removed."""

    def __init__(self, path: bytes, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"cannot use {printable(self.path)}: {self.problem} "
            "(remove it, or name another place with GAMIN_SOCKET_DIR)"
        )


def notify_removals(directory: int) -> None:
    """See `Directory.notify_removals`."""
    what = fcntl.DN_DELETE | fcntl.DN_RENAME | fcntl.DN_MULTISHOT
    with suppress(OSError):
        fcntl.fcntl(directory, fcntl.F_NOTIFY, what)


class Directory:
    """An open directory of ours alone. Close it, or use it in a `with` statement."""

    def __init__(self, path: bytes, uid: int, descriptor: int) -> None:
        self.path = path
        self.uid = uid
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def place(self, name: bytes) -> bytes:
        """The path to bind or connect to for `name` in this directory.

        There is no bindat(). The descriptor's link in /proc serves instead, and is
        short however deep the directory lies: a socket's path has at most 107 bytes.
        """
        return b"/proc/self/fd/%d/" % self._descriptor + name

    def status(self, name: bytes) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def notify_removals(self) -> None:
        """Have the kernel send SIGIO whenever a name in it is removed (fcntl(2),
        F_NOTIFY): without an inotify instance, and without a watch on what is above."""
        notify_removals(self._descriptor)

    def remove(self, name: bytes) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def has_socket(self, name: bytes) -> bool:
        """True if `name` is a socket of ours. Removes anything else of that name.

        Raises UnsafeSocketPath if the removal fails.
        """
        status = self.status(name)
        if status is None:
            return False
        problem = _socket_problem(status, self.uid)
        if problem is None:
            return True
        _remove(self.path + b"/" + name, status, problem, self._descriptor)
        return False

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Keep out every other server that starts or ends here.

        The lock is on the directory itself: there is no lock file to leave behind, the
        kernel releases it when its holder dies, and no other user can take it, because
        none can open the directory. A server holds it only while it probes a socket;
        but its process may be stopped meanwhile. Raises UnsafeSocketPath after
        `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while not self._try_lock():
            if time.monotonic() >= deadline:
                raise UnsafeSocketPath(self.path, "another process keeps it locked")
            time.sleep(_LOCK_PAUSE)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_in_place(self) -> bool:
        """Whether its path still leads to this directory."""
        try:
            return os.path.samestat(os.lstat(self.path), os.fstat(self._descriptor))
        except OSError:
            return False

    def remove_if_empty(self) -> None:
        """Remove the directory itself unless something is in it. Hold the lock."""
        if self.is_in_place():
            with suppress(OSError):
                os.rmdir(self.path)


def make_checked(path: bytes, uid: int) -> Directory:
    """The server's side: make `path` unless it exists, and check it.

    Replaces a wrong object. Raises UnsafeSocketPath.
    """
    for _ in range(_TRIES):
        _make(path)
        directory = open_checked(path, uid)
        if directory is not None:
            return directory
    raise UnsafeSocketPath(path, "it is replaced as often as it is removed")


def open_checked(path: bytes, uid: int) -> Directory | None:
    """The client's side: None where the directory is missing, and with it the server.

    Removes a wrong object, and returns None then, too. Raises UnsafeSocketPath.
    """
    try:
        status = os.lstat(path)
        problem = _directory_problem(status, uid)
        if problem is None:
            return _open(path, uid)
        if _is_own_directory(status, uid) and not _removed_empty(path):
            return _repaired(path, uid)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnsafeSocketPath(
            path, f"it cannot be opened: {error.strerror}"
        ) from error
    _remove(path, status, problem)
    return None


def _open(path: bytes, uid: int) -> Directory | None:
    """Open the directory, and check what was opened; None if that is another one."""
    descriptor = os.open(path, _FLAGS)
    directory = Directory(path, uid, descriptor)
    if _directory_problem(os.fstat(descriptor), uid) is None:
        return directory
    directory.close()
    return None


def _repaired(path: bytes, uid: int) -> Directory | None:
    """Give an own directory with something in it the right mode, and open it.

    What others may have put there is not believed: each socket is checked for its
    owner. None if the path leads to another object meanwhile.
    """
    descriptor = os.open(path, _FLAGS)
    directory = Directory(path, uid, descriptor)
    if _is_own_directory(os.fstat(descriptor), uid):
        os.fchmod(descriptor, MODE)
        return directory
    directory.close()
    return None


def _removed_empty(path: bytes) -> bool:
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


def _is_own_directory(status: os.stat_result, uid: int) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == uid


def _make(path: bytes) -> None:
    # A stricter umask would give a wrong mode. The umask belongs to the whole process,
    # but a server has one thread and makes no other file meanwhile.
    umask = os.umask(0o777 & ~MODE)
    try:
        os.mkdir(path, MODE)
    except FileExistsError:
        pass
    except OSError as error:
        raise UnsafeSocketPath(path, f"it cannot be made: {error.strerror}") from error
    finally:
        os.umask(umask)


def _directory_problem(status: os.stat_result, uid: int) -> str | None:
    if not stat.S_ISDIR(status.st_mode):
        return f"it is not a directory but {_kind(status)}"
    if status.st_uid != uid:
        return f"it belongs to uid {status.st_uid}, not to {uid}"
    # The set-group-id bit, which some parents hand down, grants no right.
    if status.st_mode & 0o777 != MODE:
        return f"its mode is {status.st_mode & 0o777:04o}, not {MODE:04o}"
    return None


def _socket_problem(status: os.stat_result, uid: int) -> str | None:
    if not stat.S_ISSOCK(status.st_mode):
        return f"it is not a socket but {_kind(status)}"
    if status.st_uid != uid:
        return f"it belongs to uid {status.st_uid}, not to {uid}"
    return None


def _kind(status: os.stat_result) -> str:
    return {
        stat.S_IFDIR: "a directory",
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFREG: "a file",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }.get(stat.S_IFMT(status.st_mode), "a device")


def _remove(
    path: bytes, status: os.stat_result, problem: str, directory: int | None = None
) -> None:
    """Remove one object, but nothing below it and nothing that it links to."""
    name = path if directory is None else path.rpartition(b"/")[2]
    try:
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(name, dir_fd=directory)
        else:
            os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
    except OSError as error:
        reason = f"{problem}, and removing it failed: {error.strerror}"
        raise UnsafeSocketPath(path, reason) from error
