"""The checked directory in which the state is kept, and the files in it.

The rules are those of the directory for sockets: it is a directory and no link, it is
ours, and its mode is 0700, all checked on the open descriptor. But what is wrong is
never removed: this is the user's home.
"""

import os
import stat

MODE = 0o700
FILE_MODE = 0o600
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
SUFFIXES = ("", "-wal", "-shm", "-journal")
"""What sqlite appends to the name of a database for the files beside it. The last one
is of a database that does not write ahead: each one until its tables are made."""


class Unusable(Exception):
    """The state cannot be read or kept; the text says why."""


class Place:
    """Where the state of one session is."""

    def __init__(self, directory: bytes, session: bytes, uid: int) -> None:
        self.directory = directory
        self.session = session
        self.uid = uid
        self.name: str = os.fsdecode(b"session-" + session + b".sqlite")

    @property
    def path(self) -> str:
        return os.path.join(os.fsdecode(self.directory), self.name)

    def prepare(self, *, make: bool) -> bool:
        """Check the directory and the file in it, and make both if `make`.

        Returns whether the file is there. Raises Unusable.
        """
        try:
            descriptor = _open_place(self.directory, self.uid, make=make)
        except FileNotFoundError:
            return False
        try:
            return self._check_files(descriptor, make)
        finally:
            os.close(descriptor)

    def _check_files(self, directory: int, make: bool) -> bool:
        found = False
        for suffix in SUFFIXES:
            name = self.name + suffix
            path = os.path.join(self.directory, os.fsencode(name))
            flags = _FILE | os.O_CREAT if make and not suffix else _FILE
            try:
                file = os.open(name, flags, FILE_MODE, dir_fd=directory)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unusable(path, error.strerror or str(error)) from error
            try:
                _check_file(os.fstat(file), self.uid, path)
            finally:
                os.close(file)
            found = found or not suffix
        return found

    def size(self) -> int:
        """Bytes of its files."""
        total = 0
        for suffix in SUFFIXES:
            try:
                total += os.lstat(self.path + suffix).st_size
            except OSError:
                continue
        return total

    def remove(self) -> None:
        """Remove the files, damaged ones as well."""
        for suffix in SUFFIXES:
            try:
                os.unlink(self.path + suffix)
            except OSError:
                continue


def make_place(directory: bytes, uid: int, *, make: bool) -> None:
    """Check the directory, made before if `make`. Raises FileNotFoundError where there
    is none, and Unusable."""
    os.close(_open_place(directory, uid, make=make))


def _open_place(directory: bytes, uid: int, *, make: bool) -> int:
    try:
        if make:
            os.makedirs(os.path.dirname(directory), MODE, exist_ok=True)
            _make_directory(directory)
        descriptor = os.open(directory, _DIRECTORY)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(directory, error.strerror or str(error)) from error
    try:
        _check_directory(os.fstat(descriptor), uid, directory)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _make_directory(path: bytes) -> None:
    try:
        os.mkdir(path, MODE)
    except FileExistsError:
        return
    os.chmod(path, MODE)  # the umask may be a stricter one


def _check_directory(status: os.stat_result, uid: int, path: bytes) -> None:
    if status.st_uid != uid:
        raise _unusable(path, f"it belongs to uid {status.st_uid}, not to {uid}")
    if status.st_mode & 0o777 != MODE:
        mode = status.st_mode & 0o777
        raise _unusable(path, f"its mode is {mode:04o}, not {MODE:04o}")


def _check_file(status: os.stat_result, uid: int, path: bytes) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise _unusable(path, "it is not a regular file of one name")
    if status.st_uid != uid:
        raise _unusable(path, f"it belongs to uid {status.st_uid}, not to {uid}")
    if status.st_mode & 0o077:
        raise _unusable(path, f"its mode is {status.st_mode & 0o777:04o}, not 0600")


def _unusable(path: bytes, reason: str) -> Unusable:
    return Unusable(f"{os.fsdecode(path)}: {reason}")
