"""The last known status of files, so that the row of a deleted one is as it was."""

from collections.abc import Sequence

from gamin.daemon.sessions.watchman.known_types import KnownTypes
from gamin.protocol.watchman.query.file_row import Stat

MAX_STATS = 16_384
"""Files whose last status is kept for one root, some 600 bytes each."""


class LastStats:
    """What the files of a root were like when a client last asked for more of them than
    their names.

    Nothing else keeps the status of a file: it would take some 200 bytes for each, for
    everybody, and what clients do with it is seldom more than to look at its type. So
    it is kept only for whom clients asked, and of a bounded number of files.
    """

    def __init__(self) -> None:
        self._stats: dict[bytes, dict[bytes, Stat]] = {}
        """By directory (with a slash at its end) and name."""
        self._count = 0
        """Files in all directories."""
        self.types: KnownTypes = KnownTypes()

    def keep(self, path: bytes, status: Stat) -> None:
        """Keep the status of one file. If there are too many, all others are
        forgotten."""
        directory, slash, name = path.rpartition(b"/")
        prefix = directory + slash
        known = self._stats.get(prefix)
        if known is None or name not in known:
            if self._count >= MAX_STATS:
                self._stats.clear()
                self._count = 0
            known = self._stats.setdefault(prefix, {})
            self._count += 1
        known[name] = status

    def keep_some(
        self, prefix: bytes, names: Sequence[bytes], stats: Sequence[Stat]
    ) -> None:
        """Keep the status of files of one directory. If there are too many files in
        all, only those that are known get their new status: a long listing would
        otherwise forget each file before it is asked for again."""
        known = self._stats.get(prefix)
        pairs = zip(names, stats, strict=True)
        if self._count < MAX_STATS:
            if known is None:
                known = self._stats[prefix] = {}
            before = len(known)
            known.update(pairs)
            self._count += len(known) - before
        elif known is not None:
            known.update([pair for pair in pairs if pair[0] in known])

    def of(self, path: bytes) -> Stat | None:
        directory, slash, name = path.rpartition(b"/")
        known = self._stats.get(directory + slash)
        return None if known is None else known.get(name)
