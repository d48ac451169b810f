"""What a client of `gamin.watch` believes to be below one path; and what is there.

A belief is strict: what does not fit what was told before is a contradiction. Of each
file it also knows the version that was there when it was told of it, so that a change
nobody told of shows.

How events are waited for is left to others.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gamin import Event, Kind

Version = tuple[int, int, int, int]
"""What tells two states of a file apart: inode, size, mtime (ns), mode."""
Leaf = Version | None
"""None where nothing can be said: it was gone already, or has several names."""
Folder = dict[str, "Folder | Leaf"]


class Belief:
    def __init__(self, root: str | Path) -> None:
        """Nothing is believed to be there before the first events."""
        self.root = str(root)
        self.top: Folder | Leaf = {}
        self.contradictions: list[str] = []
        self.repeated = 0
        """Deletions of what was not known. A difference may have them: there is no
        memory of every life of a name."""

    def take(self, events: Iterable[Event]) -> None:
        events = list(events)
        if any(e.kind is Kind.EXISTS and e.recovered for e in events):
            self.top = {}  # a listing instead of a difference
        for event in events:
            self._take(event)

    def paths(self) -> dict[str, bool]:
        """Everything below the root, with whether it is a directory."""
        return dict(_paths(self.top, ""))

    def _take(self, event: Event) -> None:
        name = self._relative(event.path)
        match event.kind:
            case Kind.EXISTS | Kind.CREATED:
                self._come(name, event)
            case Kind.CHANGED:
                self._expect(self._at(name) is not _MISSING, event)
                if not event.is_dir:
                    self._put(name, version_of(event.path), event)
            case Kind.DELETED:
                self.repeated += self._pop(name) is _MISSING
            case Kind.MOVED:
                assert event.dest is not None
                moved = self._pop(name)
                self._expect(moved is not _MISSING, event)
                # What was looked at by its old name was perhaps the next one there.
                moved = _looked_at(moved, event.dest)
                self._put(self._relative(event.dest), moved, event)

    def _come(self, name: str, event: Event) -> None:
        if name:
            self._expect(self._at(name) is _MISSING, event)
        self._put(name, {} if event.is_dir else version_of(event.path), event)

    def _relative(self, path: str) -> str:
        if path != self.root and not path.startswith(self.root.rstrip("/") + "/"):
            self.contradictions.append(f"{path} is not below {self.root}")
        return path[len(self.root) :].lstrip("/")

    def _at(self, name: str) -> "Folder | Leaf | _Missing":
        here: Folder | Leaf = self.top
        for part in name.split("/") if name else ():
            if not isinstance(here, dict) or part not in here:
                return _MISSING
            here = here[part]
        return here

    def _put(self, name: str, what: "Folder | Leaf | _Missing", event: Event) -> None:
        if isinstance(what, _Missing):
            return
        if not name:
            self.top = what
            return
        above, _, last = name.rpartition("/")
        folder = self._at(above)
        if isinstance(folder, dict):
            folder[last] = what
        else:
            self._expect(False, event)

    def _pop(self, name: str) -> "Folder | Leaf | _Missing":
        if not name:
            was, self.top = self.top, {}
            return was
        above, _, last = name.rpartition("/")
        folder = self._at(above)
        return folder.pop(last, _MISSING) if isinstance(folder, dict) else _MISSING

    def _expect(self, is_right: bool, event: Event) -> None:
        if not is_right:
            self.contradictions.append(repr(event))


class _Missing:
    """Nothing is known by that name."""


_MISSING = _Missing()


def _looked_at(what: "Folder | Leaf | _Missing", path: str) -> Any:
    """The same names, with the versions that are at `path` now."""
    if isinstance(what, dict):
        return {name: _looked_at(what[name], f"{path}/{name}") for name in what}
    return what if isinstance(what, _Missing) else version_of(path)


def _paths(here: Folder | Leaf, prefix: str) -> Iterator[tuple[str, bool]]:
    for name, entry in here.items() if isinstance(here, dict) else ():
        yield prefix + name, isinstance(entry, dict)
        yield from _paths(entry, prefix + name + "/")


def version_of(path: str) -> Leaf:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    # Of a file with several names a change is told under one; who makes such files
    # marks them by their group, because the others may be gone when we look.
    is_linked = status.st_nlink > 1 or status.st_gid != os.getegid()
    if is_linked or not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode


def there(path: str | Path) -> Folder | Leaf:
    """What a path leads to."""
    if not os.path.exists(path) or os.path.isdir(path):
        return disk(path)
    return version_of(os.path.realpath(path))


def disk(folder: str | Path) -> Folder:
    """What is really below a directory; symbolic links are not followed."""
    found: Folder = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_dir = entry.is_dir(follow_symlinks=False)
                path = entry.path
                found[entry.name] = disk(path) if is_dir else version_of(path)
    except OSError:
        return found
    return found


def differences(believed: Folder | Leaf, real: Folder | Leaf) -> list[str]:
    """In words, what is believed wrongly; empty if all is right."""
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
