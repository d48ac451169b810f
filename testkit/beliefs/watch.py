"""The belief of a client of `gamin.watch` about one path, and the truth on the disk.

Contradictions are collected. Of each file the belief also knows the version that was
there at its last report, so that an unreported change shows.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gamin import Event, Kind
from testkit.beliefs import belief
from testkit.beliefs.belief import Entry

Version = tuple[int, int, int, int]
"""Differs between two states of a file: inode, size, mtime (ns), mode."""
Leaf = Version | None
"""None where the version is unknown: it was gone already, or has several names."""
Folder = dict[str, "Folder | Leaf"]


class Belief:
    def __init__(self, root: str | Path) -> None:
        """Before the first events, nothing is believed to be there."""
        self.root = str(root)
        self.contradictions: list[str] = []
        self._model = belief.Belief(self.contradictions.append)
        self.repeated = 0
        """Deletions of unknown paths. A difference may contain them: there is no
        memory of every life of a name."""

    def take(self, events: Iterable[Event]) -> None:
        events = list(events)
        if any(e.kind is Kind.EXISTS and e.recovered for e in events):
            self._model.clear()  # a listing instead of a difference
        for event in events:
            self._take(event)

    @property
    def top(self) -> Folder | Leaf:
        """The belief, in the form in which `there` returns the truth."""
        root = self._model.root
        if root.is_known and not root.is_dir:
            leaf: Leaf = root.version
            return leaf
        return folder_of(root)

    def paths(self) -> dict[str, bool]:
        """Everything below the root, with whether it is a directory."""
        entries = self._model.entries().items()
        return {os.fsdecode(path): bool(is_dir) for path, is_dir in entries if path}

    def _take(self, event: Event) -> None:
        model, name = self._model, self._relative(event.path)
        match event.kind:
            case Kind.EXISTS | Kind.CREATED:
                if not name:
                    model.clear()  # the watched path was created again, with all below
                version = None if event.is_dir else version_of(event.path)
                model.created(name, event.is_dir, version)
            case Kind.CHANGED:
                version = None if event.is_dir else version_of(event.path)
                if name or model.knows(name):
                    model.changed(name, event.is_dir, version)
            case Kind.DELETED:
                self.repeated += not model.deleted(name, is_belated=True)
            case Kind.MOVED:
                assert event.dest is not None
                target = self._relative(event.dest)
                model.moved(name, target)
                entry = model.find(target)
                if entry is not None:
                    # What was looked at by its old name was perhaps the next one there.
                    _look_at(entry, event.dest)

    def _relative(self, path: str) -> bytes:
        if path != self.root and not path.startswith(self.root.rstrip("/") + "/"):
            self.contradictions.append(f"{path} is not below {self.root}")
        return os.fsencode(path[len(self.root) :].lstrip("/"))


def folder_of(entry: Entry) -> Folder:
    """What is believed to be below an entry, in the form of `there`."""
    return {
        os.fsdecode(name): folder_of(e) if e.is_dir or e.below else e.version
        for name, e in entry.below.items()
    }


def _look_at(entry: Entry, path: str) -> None:
    """Give an entry, and all below it, the versions that are at `path` now."""
    if entry.is_dir is False:
        entry.version = version_of(path)
    for name, below in entry.below.items():
        _look_at(below, f"{path}/{os.fsdecode(name)}")


def version_of(path: str) -> Leaf:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    # A change of a file with several names is reported under one; who makes such files
    # marks them by their group, because the others may be gone when we look.
    is_linked = status.st_nlink > 1 or status.st_gid != os.getegid()
    if is_linked or not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode


def there(path: str | Path, *, cross_mounts: bool = True) -> Folder | Leaf:
    """What a path leads to; without `cross_mounts`, a directory on which something is
    mounted is empty."""
    if not os.path.exists(path) or os.path.isdir(path):
        return disk(path, None if cross_mounts else _device(path))
    return version_of(os.path.realpath(path))


def disk(folder: str | Path, device: int | None = None) -> Folder:
    """What is really below a directory; symbolic links are not followed. With a
    `device`, only what is on it."""
    found: Folder = {}
    if device is not None and _device(folder) != device:
        return found
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_dir = entry.is_dir(follow_symlinks=False)
                path = entry.path
                found[entry.name] = disk(path, device) if is_dir else version_of(path)
    except OSError:
        return found
    return found


def _device(path: str | Path) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None


def differences(believed: Folder | Leaf, real: Folder | Leaf) -> list[str]:
    """The differences between belief and truth in words; empty if there are none."""
    return list(_differences(believed, real, ""))


def _differences(
    believed: Folder | Leaf, real: Folder | Leaf, name: str
) -> Iterator[str]:
    if not isinstance(believed, dict) or not isinstance(real, dict):
        if isinstance(believed, dict) or isinstance(real, dict):
            yield f"{name!r}: of another kind"
        elif believed and real and believed != real:
            yield f"{name!r}: changed from {believed} to {real}"
        return
    prefix = name + "/" if name else ""
    yield from (f"{prefix + n!r}: not known" for n in real.keys() - believed.keys())
    yield from (f"{prefix + n!r}: not there" for n in believed.keys() - real.keys())
    for each in real.keys() & believed.keys():
        yield from _differences(believed[each], real[each], prefix + each)
