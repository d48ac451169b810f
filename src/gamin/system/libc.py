"""The C library's calls that Python does not offer: -1 becomes OSError here.

Constants, structures that outlive a call, and all meaning are left to the modules
that use these calls.

What a call costs, measured on 3.11 with inotify_add_watch on a path of three names:
1.5 µs bare, 1.9 µs with declared argument types, and 0.1 µs more for a check of the
result, be it in a function around it, by `errcheck` or by a callable `restype`. So
types are declared everywhere but in the two functions that are called in thousands.
"""

import ctypes
import errno
import os
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_uint64
from typing import Any, NoReturn

_LIBC = ctypes.CDLL(None, use_errno=True)


def _declared(name: str, *argument_types: Any) -> Any:
    function = _LIBC[name]
    function.argtypes = argument_types
    function.restype = c_int
    return function


def _fail(path: bytes | None = None) -> NoReturn:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), path)


def _refuse_nul(path: bytes) -> None:
    """C would stop at the NUL and act on another path than the one asked for."""
    if b"\0" in path:
        raise OSError(errno.EINVAL, "embedded null byte", path)


# --- memory ----------------------------------------------------------------------


def trim_memory() -> None:
    """Give free memory back to the system, where the C library can."""
    trim = getattr(_LIBC, "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(c_size_t(0))


# --- inotify ---------------------------------------------------------------------

_inotify_init1 = _declared("inotify_init1", c_int)
_inotify_add_watch = _LIBC["inotify_add_watch"]  # undeclared: see above
_inotify_rm_watch = _declared("inotify_rm_watch", c_int, c_int)


def inotify_init1(flags: int) -> int:
    """A new inotify descriptor. OSError (EMFILE) when the user has too many."""
    fd: int = _inotify_init1(flags)
    if fd < 0:
        _fail()
    return fd


def inotify_add_watch(fd: int, path: bytes, mask: int) -> int:
    """The watch's number. OSError with errno and filename otherwise."""
    if b"\0" in path:  # which also refuses a str
        _refuse_nul(path)
    wd: int = _inotify_add_watch(fd, path, mask)
    if wd < 0:
        _fail(path)
    return wd


def inotify_rm_watch(fd: int, wd: int) -> None:
    """OSError (EINVAL) when the kernel has dropped the watch already."""
    if _inotify_rm_watch(fd, wd) < 0:
        _fail()


# --- statx -----------------------------------------------------------------------

# Called once per polled file and second: the bare function, for `kernel.statx` only.
# It returns -1 and sets errno; without declared types a call is a quarter quicker.
statx: Callable[..., int] = _LIBC["statx"]


# --- timerfd ---------------------------------------------------------------------

# Python has these from 3.13 on.


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


_timerfd_create = _declared("timerfd_create", c_int, c_int)
_timerfd_settime = _declared(
    "timerfd_settime", c_int, c_int, POINTER(_TimerSpec), ctypes.c_void_p
)


def timerfd_create(clock: int, flags: int) -> int:
    """A new timer descriptor. OSError: EMFILE, ENFILE, ENOMEM."""
    fd: int = _timerfd_create(clock, flags)
    if fd < 0:
        _fail()
    return fd


def timerfd_settime(fd: int, nanoseconds: int) -> None:
    """Let the timer expire once, so many nanoseconds from now; 0 stops it. Either makes
    a timer that has expired unreadable again."""
    value = _Timespec(*divmod(nanoseconds, 1_000_000_000))
    if _timerfd_settime(fd, 0, byref(_TimerSpec(value=value)), None) < 0:
        _fail()


# --- fanotify --------------------------------------------------------------------

MAX_HANDLE_SIZE = 128  # MAX_HANDLE_SZ of <fcntl.h>


class _FileHandle(ctypes.Structure):
    _fields_ = (
        ("size", c_uint),
        ("type", c_int),
        ("bytes", ctypes.c_ubyte * MAX_HANDLE_SIZE),
    )


_HANDLE_HEADER = _FileHandle.bytes.offset
"""Bytes of the structure before those of the handle."""

_fanotify_init = _declared("fanotify_init", c_uint, c_uint)
_fanotify_mark = _declared("fanotify_mark", c_int, c_uint, c_uint64, c_int, c_char_p)
_name_to_handle_at = _declared(
    "name_to_handle_at", c_int, c_char_p, POINTER(_FileHandle), POINTER(c_int), c_int
)


# Called once per published change: the bare function, for `system.generation` only.
bare_name_to_handle_at: Callable[..., int] = _LIBC["name_to_handle_at"]


def fanotify_init(flags: int, event_flags: int) -> int:
    """A new fanotify group. OSError: EPERM, ENOSYS, EINVAL (flag unknown), EMFILE."""
    fd: int = _fanotify_init(flags, event_flags)
    if fd < 0:
        _fail()
    return fd


def fanotify_mark(fd: int, flags: int, mask: int, directory: int, path: bytes) -> None:
    """Add, change or remove a mark; `path` is relative to descriptor `directory`."""
    _refuse_nul(path)
    if _fanotify_mark(fd, flags, mask, directory, path) < 0:
        _fail(path)


def name_to_handle_at(directory: int, path: bytes, flags: int) -> tuple[int, bytes]:
    """The handle of a file, as its type and its bytes, equal for equal inodes.

    fanotify names files by such handles. OSError (EOPNOTSUPP) where the file system
    has none.
    """
    _refuse_nul(path)
    handle = _FileHandle(size=MAX_HANDLE_SIZE)
    mount = c_int()
    if _name_to_handle_at(directory, path, byref(handle), byref(mount), flags) < 0:
        _fail(path)
    # A slice of the field would be a list of integers first.
    return handle.type, bytes(handle)[_HANDLE_HEADER : _HANDLE_HEADER + handle.size]
