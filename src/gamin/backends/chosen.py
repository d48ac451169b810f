"""What some entries of a directory looked like, where nobody cares for the others.

A file that is watched by itself may lie in a directory of 100,000: then only it is
looked at. As `snapshot`, which does this for a whole directory.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from gamin.backends.signatures import (
    differences,
    disproved,
    found_there,
    read_details,
)
from gamin.backends.snapshot import GONE, directory_status, is_same

Names = Callable[[], Collection[bytes]]
"""Which entries matter now."""


class Chosen:
    """The state of some entries of the directory at one path."""

    __slots__ = ("_entries", "_known", "_names", "_status")

    def __init__(self, path: bytes, names: Names) -> None:
        """Take it, silently. Raises OSError if `path` is no directory."""
        self._status = directory_status(path)
        self._names = names
        self._known = set(names())
        """Whose state is known, be it that there is none."""
        self._entries = _read(path, self._known, {})

    def is_same_directory(self, path: bytes) -> bool:
        """Whether `path` is still that directory. Raises OSError if it is none."""
        return is_same(directory_status(path), self._status)

    def want(self, path: bytes, mask: int) -> None:
        """Everything is looked at already."""

    def track_entry(self, path: bytes, name: bytes) -> None:
        """From now on `name` matters; what happens to it after this is noticed."""
        if name not in self._known:
            self._known.add(name)
            self._learn(path, name)

    def refresh(self, path: bytes, name: bytes) -> None:
        """Take entry `name` for known as it is now, if it matters."""
        if name in self._known:
            self._learn(path, name)

    def forget(self, name: bytes) -> None:
        """Take it for known that there is no entry `name`."""
        self._entries.pop(name, None)

    @property
    def names(self) -> Iterable[bytes]:
        """The entries that the last look saw."""
        return self._entries.keys()

    def remove_stale(self, found: Mapping[bytes, bool | None]) -> dict[bytes, int]:
        """Forget what was just found to be gone, or of another kind; what that was."""
        wrong = disproved(self._entries, found)
        for name in wrong:
            self.forget(name)
        return wrong

    def absorb_scan(self, path: bytes, found: Mapping[bytes, bool]) -> list[bytes]:
        """Take for known what was just found there, be it a directory or not; return
        what was not known.

        What is gone again by now is known nevertheless: the next look tells of that.
        """
        new = [n for n in found if n in self._known and n not in self._entries]
        for name in new:
            self._learn(path, name)
            now = self._entries.get(name)
            self._entries[name] = found_there(now, found[name])
        return new

    def _learn(self, path: bytes, name: bytes) -> None:
        found = _read(path, (name,), self._entries)
        self._entries.pop(name, None)
        self._entries.update(found)

    def look(
        self, path: bytes, mask: int, now: float
    ) -> list[tuple[int, bytes]] | None:
        """What differs from the last look, as mask and name; None if it is gone.

        An entry that matters only since then is taken silently.
        """
        try:
            status = directory_status(path)
        except OSError as error:
            return None if error.errno in GONE else []
        if not is_same(status, self._status):
            return None
        names = set(self._names())
        current = _read(path, names, self._entries)
        known = {n: was for n, was in self._entries.items() if n in names}
        seen = {n: now_ for n, now_ in current.items() if n in self._known}
        self._entries, self._known = current, names
        return differences(known, seen, mask)


def _read(
    path: bytes, names: Collection[bytes], known: dict[bytes, bytes]
) -> dict[bytes, bytes]:
    """Their signatures; what is `known` where nobody may look today."""
    try:
        return read_details(path, names, known)
    except OSError:
        return {name: known[name] for name in names if name in known}
