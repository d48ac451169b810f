"""Which paths may lead to a mount that does not answer.

A system call on a network file system, on FUSE or on an automount may take for ever, so
the loop's thread must make none there (`system.errands` has a thread make it). Whether
a path is distant is decided by the list of mounts and by reading its symlinks one after
the other, each only when the mount that it is on is known as local.

The mounts are those of the process, so this module knows them for all of it.
"""

import errno
import os
from collections.abc import Collection, Mapping

MAX_LINKS = 40
"""Symlinks followed on one path: the kernel's MAXSYMLINKS (man 7 path_resolution)."""

_NONE: frozenset[bytes] = frozenset()


class _Mounts:
    def __init__(self, points: Mapping[bytes, bool]) -> None:
        self.points = points
        self.names: dict[bytes, set[bytes]] = {}
        """By directory, the names in it that are distant mount points."""
        for point in points:
            directory, _, name = point.rpartition(b"/")
            self.names.setdefault(directory or b"/", set()).add(name)


_mounts = _Mounts({})
_generation = 0


def generation() -> int:
    """Another number after each `use`."""
    return _generation


def use(points: Mapping[bytes, bool]) -> None:
    """These are the distant mount points from now on; True: an automount, where nothing
    is mounted until somebody looks."""
    global _mounts, _generation
    _mounts = _Mounts(points)
    _generation += 1


def has_distant() -> bool:
    """Whether any mount is distant."""
    return bool(_mounts.points)


def mounted_in(directory: bytes) -> Collection[bytes]:
    """The names in a directory that are distant mount points: not to be looked at with
    the others. The directory's path has no symlink in it."""
    return _mounts.names.get(directory, _NONE)


def points_below(directory: bytes) -> list[bytes]:
    """The distant mount points below a directory, whose path has no symlink in it."""
    prefix = directory.rstrip(b"/") + b"/"
    return [point for point in _mounts.points if point.startswith(prefix)]


def distant_point(
    path: bytes, known: Collection[bytes] = _NONE, *, follows: bool = True
) -> bytes | None:
    """The point of the first distant mount that the path leads through or to, save for
    those in `known`, on which links may be read; None if there is none.

    `follows`: a symlink at the end of the path counts. Raises FileNotFoundError for a
    path below an automount, because to look there would be to mount.
    """
    points = _mounts.points
    if not points:
        return None
    rest = path.split(b"/")[::-1]
    real, links = b"", 0
    while rest:
        name = rest.pop()
        if name in (b"", b"."):
            continue
        if name == b"..":
            real = real[: real.rfind(b"/")] if real else b""
            continue
        here = real + b"/" + name
        if here in points and here not in known:
            if points[here] and any(each not in (b"", b".") for each in rest):
                raise FileNotFoundError(errno.ENOENT, "nothing is mounted there", here)
            return here
        if not rest and not follows:
            return None
        try:
            target = os.readlink(here)
        except ValueError:  # NUL in it
            return None
        except OSError as error:
            if error.errno != errno.EINVAL:
                return None  # what is to be done there will fail too
            real = here
            continue
        links += 1
        if links > MAX_LINKS:
            return None
        rest += target.split(b"/")[::-1]
        if target.startswith(b"/"):
            real = b""
    return None
