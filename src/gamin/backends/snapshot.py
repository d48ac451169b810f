"""The state of a directory at the last poll, and what differs from it now.

`polling` decides when to poll, `signatures` what is compared.

A poll costs one lstat for the directory, and one for each known entry if more than the
names is wanted. The names are read only when the times of the directory have moved,
because a change of names moves them. Three things limit how far that can be relied on.

*Clocks tick.* File systems stamp in steps: about 4 ms in Linux before 6.13 (since then
the usual ones never give out a time twice that a program has read), a second over some
networks, two on FAT. A change within the same step as the poll, but after it, leaves no
new time. So once the times moved, each poll reads the names until one has done so more
than a step later. Our own clock measures that; a file server's clock may be wrong.

*Some file systems keep no such times*, /proc among them. So every tenth poll reads the
names anyway. If that finds other names under the same times, the times of that device
are not trusted again.

*Contents have the same limit and no remedy:* a file that changed twice within one step,
before and after the poll, and has the same size, appears unchanged. Only reading it
would show the difference. The second change is then reported together with the next.

A file that is watched by itself may be in a directory of 100,000. So a snapshot can be
limited to some names: a poll then costs one lstat for each of these, and the names of
the directory are never read.
"""

import errno
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from stat import S_ISDIR

from gamin.backends.signatures import (
    CONTENT,
    differences,
    disproved,
    found_there,
    read_details,
    read_kinds,
    read_one,
)
from gamin.events import ATTRIB, IS_DIR

COARSEST_STEP = 2.5
"""Seconds: the two of FAT, and some slack for the poll itself."""
TRUSTED_POLLS = 9
"""Polls in a row that do not read the names while the directory's times are the
same."""

GONE = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EACCES,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""Errors that mean that the directory is not there. Others (EIO, ESTALE, ETIMEDOUT,
...) mean that its state is unknown at present, which is no change."""

Names = Callable[[], Collection[bytes]]
"""Returns the entries that matter now."""


class Snapshot:
    """The state of one directory at one path, or of some entries of it.

    `unreliable` holds the devices whose directory times are not trusted; all snapshots
    share it and add to it. `names` limits the snapshot to the entries that it returns
    at each poll; these are always compared in detail.
    """

    __slots__ = (
        "_entries",
        "_is_detailed",
        "_is_settled",
        "_moved",
        "_names",
        "_status",
        "_tracked",
        "_trusted_polls",
        "_unreliable",
        "listings",
    )

    def __init__(
        self,
        path: bytes,
        mask: int,
        now: float,
        unreliable: set[int],
        names: Names | None = None,
    ) -> None:
        """Take the snapshot. Raises OSError if `path` is no readable directory."""
        self._status = directory_status(path)
        self._moved = now  # when a poll first saw the present times
        self._is_settled = False  # True: a later change of names will move them
        self._trusted_polls = 0  # polls left until the names are read anyway
        self._unreliable = unreliable
        self._names = names
        self._tracked = set() if names is None else set(names())
        """With `names`: the entries whose state, present or missing, is known."""
        self._is_detailed = _wants_details(mask)
        self._entries = (
            _read_all(path, self._is_detailed, {})
            if names is None
            else _read_named(path, self._tracked, {})
        )
        self.listings: int = 0 if names else 1
        """How often the names have been read, to measure the cost."""

    @property
    def is_limited(self) -> bool:
        """Whether only some entries are polled."""
        return self._names is not None

    def track_entry(self, path: bytes, name: bytes) -> None:
        """From now on `name` matters to a limited snapshot: changes after this call are
        detected."""
        if self._names is not None and name not in self._tracked:
            self._tracked.add(name)
            self._learn(path, name)

    def is_same_directory(self, path: bytes) -> bool:
        """Whether `path` is still that directory. Raises OSError if it is none."""
        return is_same(directory_status(path), self._status)

    def want(self, path: bytes, mask: int) -> None:
        """Prepare to compare what `mask` asks for. Names that changed since the last
        poll are still reported."""
        is_detailed = _wants_details(mask)
        if is_detailed == self._is_detailed or self._names is not None:
            return
        current = _read_all(path, is_detailed, {})
        self._entries = {
            name: current.get(name, was) for name, was in self._entries.items()
        }
        self._is_detailed = is_detailed
        self._is_settled = False

    def refresh(self, path: bytes, name: bytes) -> None:
        """Record entry `name` as it is now, if it matters."""
        if self._matters(name):
            self._learn(path, name)

    def _matters(self, name: bytes) -> bool:
        return self._names is None or name in self._tracked

    def _learn(self, path: bytes, name: bytes) -> None:
        is_detailed = self._is_detailed or self._names is not None
        try:
            now = read_one(path, name, is_detailed)
        except OSError:
            return  # the next poll will show
        if now is None:
            self._entries.pop(name, None)
        else:
            self._entries[name] = now

    def forget(self, name: bytes) -> None:
        """Record that there is no entry `name`."""
        self._entries.pop(name, None)
        self._is_settled = False

    @property
    def names(self) -> Iterable[bytes]:
        """The entries that the last poll found."""
        return self._entries.keys()

    def remove_stale(self, found: Mapping[bytes, bool | None]) -> dict[bytes, int]:
        """Forget entries that a scan just found to be gone or of another kind; return
        them with the mask of their deletion."""
        wrong = disproved(self._entries, found)
        for name in wrong:
            self.forget(name)
        return wrong

    def absorb_scan(self, path: bytes, found: Mapping[bytes, bool]) -> list[bytes]:
        """Record the entries that a scan just found; return those that were not known.

        The values of `found` say whether an entry is a directory. An entry that is gone
        again by now is recorded all the same: the next poll reports its deletion.
        """
        new = [n for n in found if n not in self._entries and self._matters(n)]
        for name in new:
            self._learn(path, name)
            now = self._entries.get(name)
            self._entries[name] = found_there(now, found[name])
        if new:
            self._is_settled = False
        return new

    def compare(
        self, path: bytes, mask: int, now: float
    ) -> list[tuple[int, bytes]] | None:
        """The differences from the last poll, as mask and name; None if the directory
        is gone.

        An empty name means the directory itself. With `names`, an entry that matters
        only since the last poll is recorded without a difference.
        """
        try:
            status = directory_status(path)
        except OSError as error:
            return None if error.errno in GONE else []
        if not is_same(status, self._status):
            return None
        if self._names is not None:
            return self._compare_named(path, mask, set(self._names()))
        before, self._status = self._status, status
        if _times(before) != _times(status):
            self._moved, self._is_settled = now, False
        known, self._entries = self._entries, self._read(path, now)
        found = differences(known, self._entries, mask)
        if mask & ATTRIB and _rights(before) != _rights(status):
            found.append((ATTRIB | IS_DIR, b""))
        return found

    def _compare_named(
        self, path: bytes, mask: int, names: set[bytes]
    ) -> list[tuple[int, bytes]]:
        current = _read_named(path, names, self._entries)
        known = {name: was for name, was in self._entries.items() if name in names}
        seen = {name: is_ for name, is_ in current.items() if name in self._tracked}
        self._entries, self._tracked = current, names
        return differences(known, seen, mask)

    def _read(self, path: bytes, now: float) -> dict[bytes, bytes]:
        known = self._entries
        try:
            if self._is_settled and self._trusted_polls:
                self._trusted_polls -= 1
                return read_details(path, known, known) if self._is_detailed else known
            current = _read_all(path, self._is_detailed, known)
        except OSError:  # it cannot be read at present
            self._is_settled = False
            return known
        self.listings += 1
        if self._is_settled and current.keys() != known.keys():
            self._doubt(path)
        self._is_settled = (
            now - self._moved > COARSEST_STEP
            and self._status.st_dev not in self._unreliable
        )
        self._trusted_polls = TRUSTED_POLLS
        return current

    def _doubt(self, path: bytes) -> None:
        """The names changed under the same times: distrust the times of the device,
        unless they moved just now."""
        with suppress(OSError):
            if _times(directory_status(path)) == _times(self._status):
                self._unreliable.add(self._status.st_dev)


def _read_all(
    path: bytes, is_detailed: bool, known: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    if is_detailed:
        return read_details(path, os.listdir(path), known)
    return read_kinds(path)


def _read_named(
    path: bytes, names: Collection[bytes], known: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    """The signatures of some entries; those in `known` where access is denied."""
    try:
        return read_details(path, names, known)
    except OSError:
        return {name: known[name] for name in names if name in known}


def directory_status(path: bytes) -> os.stat_result:
    status = os.lstat(path)
    if not S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return status


def is_same(a: os.stat_result, b: os.stat_result) -> bool:
    return a.st_ino == b.st_ino and a.st_dev == b.st_dev


def _times(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_ctime_ns


def _rights(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mode, status.st_uid, status.st_gid


def _wants_details(mask: int) -> bool:
    return bool(mask & (CONTENT | ATTRIB))
