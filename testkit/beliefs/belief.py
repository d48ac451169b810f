"""What a client believes to be on the disk, after events that it applied one by one.

The one model of all clients: `strict` feeds it from the core, `watch` from
`gamin.watch`, the soak from libgamin and the benchmark from any watcher. It is strict:
an event that does not fit the earlier ones is a contradiction. The caller decides what
happens at a contradiction; the belief then continues as a sensible client would.
"""

from collections.abc import Callable, Iterator
from typing import Any


class Contradiction(AssertionError):
    """An event that does not fit the earlier ones."""


class Entry:
    """The belief about one path."""

    __slots__ = ("below", "is_dir", "is_known", "version")

    def __init__(self) -> None:
        self.below: dict[bytes, Entry] = {}
        self.is_dir: bool | None = None
        """None: no event said so."""
        self.is_known = False
        """False: only something below it was reported."""
        self.version: Any = None
        """A value that differs between two states of a file; None: it does not
        matter."""


def ignore(contradiction: str) -> None:
    """Accept a contradiction of a watcher that does not promise to be consistent."""


class Belief:
    """A tree of entries. Paths are relative to the watched path, which is empty."""

    def __init__(self, contradicts: Callable[[str], None] = ignore) -> None:
        self._contradicts = contradicts
        self.root = Entry()

    def find(self, path: bytes) -> Entry | None:
        """The entry of a path, even if it is only implied."""
        here: Entry | None = self.root
        for name in _parts(path):
            here = None if here is None else here.below.get(name)
        return here

    def knows(self, path: bytes) -> bool:
        entry = self.find(path)
        return entry is not None and entry.is_known

    def clear(self) -> None:
        self.root = Entry()

    def created(
        self, path: bytes, is_dir: bool | None = None, version: object = None
    ) -> None:
        """The path was created, or is in a first listing."""
        if self.knows(path):
            self._contradicts(f"created {path!r}, which is there")
        entry = self._at(path)
        entry.is_known, entry.version = True, version
        if is_dir is not None:
            entry.is_dir = is_dir
            if not is_dir:
                entry.below = {}

    def changed(self, path: bytes, is_dir: bool, version: object = None) -> None:
        entry = self.find(path)
        if entry is None or not entry.is_known:
            self._contradicts(f"changed {path!r}, which is not there")
            return
        entry.is_dir, entry.version = is_dir, version

    def deleted(
        self, path: bytes, is_dir: bool | None = None, *, is_belated: bool = False
    ) -> bool:
        """The path was deleted, with everything below it. Returns whether it was known.

        `is_belated`: it is part of a difference, which may report as deleted what was
        never reported before, for no server remembers every life of a name.
        """
        entry = self.find(path)
        if entry is None or not entry.is_known:
            if not is_belated:
                self._contradicts(f"deleted {path!r}, which is not there")
            if entry is not None:
                self._take(path)
            return False
        if not is_belated:
            if is_dir is not None and entry.is_dir is not is_dir:
                self._contradicts(f"deleted {path!r}, which is of another kind")
            if any(below.is_known for _, below in _walk(entry, b"")):
                self._contradicts(f"deleted {path!r}, before what is in it")
        self._take(path)
        return True

    def moved(self, source: bytes, path: bytes, is_new: bool | None = None) -> None:
        """The path was renamed, with everything below it. `is_new`: it replaced
        nothing."""
        entry = self.find(source)
        if is_new is not None and self.knows(path) is is_new:
            self._contradicts(f"moved {source!r} to {path!r}: is_new is {is_new}")
        if entry is None or not entry.is_known:
            self._contradicts(f"moved {source!r}, which is not there")
            entry = Entry()
            entry.is_known = True
        self._take(source)
        above, _, name = path.rpartition(b"/")
        self._at(above).below[name] = entry

    def entries(self, *, is_implied: bool = False) -> dict[bytes, bool | None]:
        """All known paths, with whether each is a directory. `is_implied`: includes the
        directories that no event named, but that must exist."""
        found = {path: e for path, e in _walk(self.root, b"") if path}
        known = {b"": self.root.is_dir} if self.root.is_known else {}
        return known | {
            path: e.is_dir for path, e in found.items() if e.is_known or is_implied
        }

    def _at(self, path: bytes) -> Entry:
        """The entry of a path; it and its parents are created if they are missing."""
        here = self.root
        for name in _parts(path):
            if name not in here.below:
                here.below[name] = Entry()
            here = here.below[name]
        return here

    def _take(self, path: bytes) -> None:
        if not path:
            self.clear()
            return
        above, _, name = path.rpartition(b"/")
        parent = self.find(above)
        if parent is not None:
            parent.below.pop(name, None)


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part]


def _walk(entry: Entry, path: bytes) -> Iterator[tuple[bytes, Entry]]:
    """Everything below an entry, in any order."""
    stack = [(path, entry)]
    while stack:
        above, here = stack.pop()
        for name, below in here.below.items():
            inner = above + b"/" + name if above else name
            yield inner, below
            stack.append((inner, below))
