"""File systems in memory, mounted and unmounted by root (man 2 mount)."""

import ctypes
import os

_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_REMOUNT = 1, 32
_MS_REC, _MS_PRIVATE = 0x4000, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def enter_own_namespace() -> None:
    """From now on nobody else sees what this process and its children mount. Call it
    before there are threads."""
    _check(_libc.unshare(_CLONE_NEWNS), b"mounts")
    _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), b"/")


def mount(
    point: str | os.PathLike[str], megabytes: int = 16, mode: int = 0o755
) -> None:
    """Mount an empty file system; one that is mounted there already is buried."""
    path = os.fsencode(point)
    options = b"size=%dm,mode=%o" % (megabytes, mode)
    _check(_libc.mount(b"soak", path, b"tmpfs", 0, options), path)


def remount(point: str | os.PathLike[str], *, read_only: bool) -> None:
    """Let nobody write to the mounted file system, or let them write again; OSError if
    a file on it is open for writing."""
    path = os.fsencode(point)
    flags = _MS_REMOUNT | (_MS_RDONLY if read_only else 0)
    _check(_libc.mount(None, path, None, flags, None), path)


def unmount(point: str | os.PathLike[str]) -> None:
    """Unmount what was mounted last; OSError if nothing was, or if it is in use."""
    path = os.fsencode(point)
    _check(_libc.umount2(path, 0), path)


def _check(result: int, path: bytes) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
