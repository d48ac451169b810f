"""One file as a query sees it.

The daemon makes the rows and provides the disk; terms and fields read their members.
"""

import stat
from typing import NamedTuple, Protocol

from gamin.events import Kind


class Stat(Protocol):
    """The part of `os.stat_result` that clients can ask for."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_dev(self) -> int: ...
    @property
    def st_nlink(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_atime_ns(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_ctime_ns(self) -> int: ...


class Facts(NamedTuple):
    """A stat that is not from the disk."""

    st_mode: int
    st_ino: int = 0
    st_dev: int = 0
    st_nlink: int = 0
    st_uid: int = 0
    st_gid: int = 0
    st_size: int = 0
    st_atime_ns: int = 0
    st_mtime_ns: int = 0
    st_ctime_ns: int = 0


# Of what does not exist any more: clients want every field of it all the same.
GONE_DIRECTORY = Facts(stat.S_IFDIR)
GONE_FILE = Facts(stat.S_IFREG)


def stat_of_gone(last: Stat | None, is_dir: bool) -> Stat:
    """The status of a deleted file: the last one known of its path, unless that is of
    something else that took its place."""
    if last is not None and stat.S_ISDIR(last.st_mode) == is_dir:
        return last
    return GONE_DIRECTORY if is_dir else GONE_FILE


class Disk(Protocol):
    """How a row reads the disk; names are those of the rows. Never raises."""

    def lstat(self, name: bytes) -> Stat | None: ...

    def last_stat(self, name: bytes) -> Stat | None:
        """The status of a file that is gone, as it was last; None if not known."""

    def readlink(self, name: bytes) -> bytes | None: ...


class NoDisk:
    """Knows nothing about any file."""

    def lstat(self, name: bytes) -> Stat | None:
        return None

    def last_stat(self, name: bytes) -> Stat | None:
        return None

    def readlink(self, name: bytes) -> bytes | None:
        return None


Sha1 = str | dict[str, str] | None
"""The hash of a file's content in hexadecimal; or an object whose `error` says why
there is none."""


class FileRow:
    """A row of a query or a subscription.

    Most rows never read the disk, and none does more than once.
    """

    __slots__ = (
        "_stat",
        "born_tick",
        "changed_tick",
        "disk",
        "exists",
        "is_dir",
        "is_new",
        "kind",
        "name",
        "sha1",
        "source",
    )

    def __init__(
        self,
        name: bytes,
        kind: Kind,
        is_dir: bool = False,
        exists: bool = True,
        is_new: bool = False,
        changed_tick: int = 0,
        born_tick: int = 0,
        source: bytes | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.name: bytes = name
        """Relative to the root, or to `relative_root`; empty for that directory."""
        self.kind: Kind = kind
        self.is_dir: bool = is_dir
        self.exists: bool = exists
        self.is_new: bool = is_new
        """First seen after the clock the client named."""
        self.changed_tick: int = changed_tick
        self.born_tick: int = born_tick
        self.source: bytes | None = source
        """What it was called before, for `Kind.MOVED` only."""
        self.sha1: Sha1 = None
        """Set before a row is encoded whose query asks for it; None for what has none:
        a directory, or a file that does not exist any more."""
        self.disk: Disk | NoDisk = disk or NoDisk()
        self._stat: Stat | None = None

    @property
    def stat(self) -> Stat:
        """The stat of the file, read at most once; of a deleted file the last known
        one, or only its type."""
        if self._stat is None:
            disk = self.disk
            found = disk.lstat(self.name) if self.exists else None
            last = None if self.exists else disk.last_stat(self.name)
            self._stat = found or stat_of_gone(last, self.is_dir)
        return self._stat
