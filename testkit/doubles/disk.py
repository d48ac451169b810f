"""A file system in memory, for tests of the core and the executor.

It does what the system calls do, rights and errors included, and passes to `on_event`
and `dropped` what the kernel would pass to inotify, in its order. `kernel.py` knows who
watches what. `tests/models/test_disk.py` compares both with the real ones.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    UNMOUNT,
)
from gamin.paths import is_within, join, parent

MAX_LINKS = 40
READ, SEARCH = 0o400, 0o100


@dataclass(slots=True, eq=False)
class Inode:
    number: int
    entries: "dict[bytes, Inode]" = field(default_factory=dict)
    is_dir: bool = False
    target: bytes | None = None
    """Where a symlink leads."""
    mode: int = 0o755
    links: int = 1
    has_been_linked: bool = False
    """It had several names, now or before."""
    has_been_secret: bool = False
    """A directory that cannot be read, or could not be at some time."""
    version: int = 0
    """Goes up with every change."""
    written: int = 0
    """Goes up with every change of content."""
    ctime: int = 0
    """Nanoseconds of the disk's clock."""


Trail = list[tuple[bytes, Inode]]
"""The directories on the way to something, the root first, and their names."""


def error(number: int, path: bytes) -> OSError:
    return OSError(number, os.strerror(number), path)


def _nobody(_inode: Inode, _mask: int, _cookie: int = 0, _name: bytes = b"") -> None:
    """Ignores every event."""


class Disk:
    """Paths are absolute bytes. Raises the OSError the system call would raise."""

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        """`clock` gives nanoseconds, for ctimes."""
        self._clock = clock
        self._numbers = 1
        self._cookies = 0
        self.root = Inode(1, is_dir=True)
        self.mounted: dict[Inode, Inode] = {}
        """What covers a directory."""
        self.failing: dict[bytes, int] = {}
        """Paths of which every look at them, or below, fails with that errno; their
        names are still listed."""
        self.on_event: Callable[[Inode, int, int, bytes], None] = _nobody
        """Called with a directory, a mask, a cookie and the name of the entry."""
        self.dropped: Callable[[Inode, int], None] = _nobody
        """Called with a directory that nothing can watch any more, and the mask that
        says why."""

    # -- finding

    def inode(self, path: bytes, *, follow: bool = False) -> Inode:
        """As lstat, or as stat if links are to be followed."""
        for place, number in self.failing.items():
            if is_within(path, place):
                raise error(number, path)
        trail, name = self._resolve(path, follow)
        return self._entry(trail[-1][1], name, path) if name else trail[-1][1]

    def exists(self, path: bytes, *, follow: bool = False) -> bool:
        try:
            self.inode(path, follow=follow)
        except OSError:
            return False
        return True

    def real(self, path: bytes) -> bytes | None:
        """Where a path leads, without symlinks in it; None if nowhere."""
        try:
            self.inode(path, follow=True)
            trail, name = self._resolve(path, True)
        except OSError:
            return None
        names = [step for step, _ in trail[1:]] + [name]
        return b"/" + b"/".join(filter(None, names))

    def directory(self, path: bytes) -> Inode:
        """A directory one may read; a symlink is not followed."""
        inode = self.inode(path)
        if not inode.is_dir:
            raise error(errno.ENOTDIR, path)
        if not inode.mode & READ:
            raise error(errno.EACCES, path)
        return inode

    def listing(self, path: bytes) -> dict[bytes, Inode]:
        """As scandir, with what is mounted over entries."""
        entries = self.directory(path).entries.items()
        return {name: self._covering(inode) for name, inode in entries}

    def below(self, path: bytes) -> Iterator[tuple[bytes, Inode]]:
        """Every path below a directory, parents first; symlinks are not followed."""
        for name, inode in self.listing(path).items():
            deeper = join(path, name)
            yield deeper, inode
            if inode.is_dir and inode.mode & READ:
                yield from self.below(deeper)

    # -- making

    def mkdir(self, path: bytes) -> None:
        self._make(path, self._new(is_dir=True))

    def makedirs(self, path: bytes) -> None:
        """As mkdir -p."""
        if not self.exists(path, follow=True):
            self.makedirs(parent(path))
            self.mkdir(path)

    def symlink(self, target: bytes, path: bytes) -> None:
        self._make(path, self._new(target=target))

    def mkfifo(self, path: bytes) -> None:
        self._make(path, self._new())

    def link(self, old: bytes, new: bytes) -> None:
        inode = self.inode(old)
        if inode.is_dir:
            raise error(errno.EPERM, old)
        self._make(new, inode)
        inode.links += 1
        inode.has_been_linked = True
        self._changed(inode)

    def touch(self, path: bytes) -> None:
        """Make a new file, and close it."""
        self._make(path, self._new())
        self.close(path)

    # -- writing

    def write(self, path: bytes, *, truncate: bool = True, text: bool = True) -> None:
        """Open (made if it is not there), write, close."""
        if not self.exists(path, follow=True):
            trail, name = self._resolve(path, True)
            self._make_in(trail[-1][1], name, self._new(), path)
        elif truncate:
            self.modify(path)
        if text:
            self.modify(path)
        self.close(path)

    def modify(self, path: bytes) -> None:
        """Write (or truncate) without closing."""
        trail, name = self._resolve(path, True)
        inode = self._entry(trail[-1][1], name, path)
        if inode.is_dir:
            raise error(errno.EISDIR, path)
        inode.written += 1
        self._changed(inode)
        self.on_event(trail[-1][1], MODIFY, 0, name)

    def close(self, path: bytes) -> None:
        """Close what was open for writing."""
        trail, name = self._resolve(path, True)
        self._entry(trail[-1][1], name, path)
        self.on_event(trail[-1][1], CLOSE_WRITE, 0, name)

    def chmod(self, path: bytes, mode: int) -> None:
        inode = self.inode(path, follow=True)
        inode.mode = mode
        inode.has_been_secret |= not mode & READ
        self.utime(path)

    def utime(self, path: bytes) -> None:
        trail, name = self._resolve(path, True)
        inode = self._entry(trail[-1][1], name, path)
        self._changed(inode)
        self.on_event(trail[-1][1], ATTRIB | _kind(inode), 0, name)
        if inode.is_dir:
            self.on_event(inode, ATTRIB | IS_DIR, 0, b"")

    # -- removing

    def unlink(self, path: bytes) -> None:
        inode = self.inode(path)
        if inode.is_dir:
            raise error(errno.EISDIR, path)
        self._remove(path, inode)
        inode.links -= 1
        self._changed(inode)

    def rmdir(self, path: bytes) -> None:
        inode = self.inode(path)
        if not inode.is_dir:
            raise error(errno.ENOTDIR, path)
        if inode in self.mounted.values():
            raise error(errno.EBUSY, path)
        if inode.entries:
            raise error(errno.ENOTEMPTY, path)
        self._remove(path, inode)
        self.dropped(inode, 0)

    def rmtree(self, path: bytes) -> None:
        for name, inode in list(self.inode(path).entries.items()):
            remove = self.rmtree if inode.is_dir else self.unlink
            remove(join(path, name))
        self.rmdir(path)

    def rename(self, old: bytes, new: bytes) -> None:
        (old_trail, old_name), (new_trail, new_name) = map(self._resolve, (old, new))
        source, target = old_trail[-1][1], new_trail[-1][1]
        inode = self._entry(source, old_name, old)
        replaced = target.entries.get(new_name)
        if replaced is inode:
            return
        if any(step is inode for _, step in new_trail):
            raise error(errno.EINVAL, new)
        if replaced is not None:
            _check_replacing(inode, replaced, new)
        self._cookies += 1
        del source.entries[old_name]
        target.entries[new_name] = inode
        self._changed(inode)
        self.on_event(source, MOVED_FROM | _kind(inode), self._cookies, old_name)
        self.on_event(target, MOVED_TO | _kind(inode), self._cookies, new_name)
        if replaced is not None and replaced.is_dir:
            self.dropped(replaced, 0)

    # -- mounting

    def mount(self, path: bytes) -> None:
        """Put an empty file system over a directory."""
        self.mounted[self.inode(path)] = self._new(is_dir=True)

    def bind(self, what: bytes, path: bytes) -> None:
        """Show one directory at the place of another too."""
        self.mounted[self.inode(path)] = self.inode(what)

    def umount(self, path: bytes) -> None:
        top = self.inode(path)
        covered = next(below for below, over in self.mounted.items() if over is top)
        del self.mounted[covered]
        if top not in self.mounted.values() and not self._is_reachable(top):
            self._unmounted(top)

    def _unmounted(self, inode: Inode) -> None:
        for below in inode.entries.values():
            self._unmounted(below)
        self.dropped(inode, UNMOUNT)

    def _is_reachable(self, wanted: Inode) -> bool:
        return any(inode is wanted for _, inode in self.below(b"/"))

    # -- inside

    def _resolve(self, path: bytes, follow: bool = False) -> tuple[Trail, bytes]:
        """The way to a path and its last name, which is empty for "/" and ".."."""
        trail: Trail = [(b"", self._covering(self.root))]
        rest = list(_names(path))
        links = 0
        while rest:
            directory, name = trail[-1][1], rest.pop()
            if not directory.mode & SEARCH:
                raise error(errno.EACCES, path)
            if name == b"..":
                trail = trail[: max(1, len(trail) - 1)]
                continue
            inode = directory.entries.get(name)
            if inode is not None and inode.target is not None and (rest or follow):
                links += 1
                if links > MAX_LINKS:
                    raise error(errno.ELOOP, path)
                if inode.target.startswith(b"/"):
                    del trail[1:]
                rest += _names(inode.target)
            elif not rest:
                return trail, name
            elif inode is None:
                raise error(errno.ENOENT, path)
            elif not inode.is_dir:
                raise error(errno.ENOTDIR, path)
            else:
                trail.append((name, self._covering(inode)))
        return trail, b""

    def _covering(self, inode: Inode) -> Inode:
        if not self.mounted:
            return inode
        while inode in self.mounted and self.mounted[inode] is not inode:
            inode = self.mounted[inode]
        return inode

    def _entry(self, directory: Inode, name: bytes, path: bytes) -> Inode:
        if name not in directory.entries:
            raise error(errno.ENOENT, path)
        return self._covering(directory.entries[name])

    def _new(self, *, is_dir: bool = False, target: bytes | None = None) -> Inode:
        self._numbers += 1
        return Inode(self._numbers, is_dir=is_dir, target=target, ctime=self._clock())

    def _make(self, path: bytes, inode: Inode) -> None:
        trail, name = self._resolve(path)
        self._make_in(trail[-1][1], name, inode, path)

    def _make_in(
        self, directory: Inode, name: bytes, inode: Inode, path: bytes
    ) -> None:
        if not name or name in directory.entries:
            raise error(errno.EEXIST, path)
        directory.entries[name] = inode
        self._changed(directory)
        self.on_event(directory, CREATE | _kind(inode), 0, name)

    def _remove(self, path: bytes, inode: Inode) -> None:
        trail, name = self._resolve(path)
        del trail[-1][1].entries[name]
        self._changed(trail[-1][1])
        self.on_event(trail[-1][1], DELETE | _kind(inode), 0, name)

    def _changed(self, inode: Inode) -> None:
        inode.version += 1
        inode.ctime = self._clock()


@lru_cache(4096)  # the models ask for few paths, each of them very often
def _names(path: bytes) -> tuple[bytes, ...]:
    """Last one first, so that `pop` takes the next."""
    return tuple(n for n in reversed(path.split(b"/")) if n not in (b"", b"."))


def _kind(inode: Inode) -> int:
    return IS_DIR if inode.is_dir else 0


def _check_replacing(inode: Inode, replaced: Inode, path: bytes) -> None:
    if replaced.is_dir and not inode.is_dir:
        raise error(errno.EISDIR, path)
    if inode.is_dir and not replaced.is_dir:
        raise error(errno.ENOTDIR, path)
    if replaced.entries:
        raise error(errno.ENOTEMPTY, path)
