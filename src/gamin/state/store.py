"""The database of one session: saved trees and named cursors.

It is opened when something is to be read or written, and never before. Whatever is
wrong with it raises Unusable, with the reason; a damaged one is removed, because all of
it can be learned again.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from typing import NamedTuple, TypeVar

from gamin.state.place import Place, Unusable
from gamin.state.saved import Damaged, SavedTree, pack, unpack

VERSION = 1
"""The version of the tables."""
APPLICATION = 0x67616D69
"""What `file` and sqlite know the database by: "gami"."""
MAX_GENERATIONS = 8
"""Servers per tree whose clocks stay meaningful; the oldest is dropped first."""
KEPT_SECONDS = 30 * 24 * 3600
"""How long a tree is kept that nobody asked for."""
BUSY_SECONDS = 2.0
"""How long to wait for another process that has the database locked."""

_SCHEMA = f"""
BEGIN;
CREATE TABLE trees (
  start INTEGER, pid INTEGER, number INTEGER, key BLOB, path BLOB,
  tick INTEGER, saved INTEGER, digest BLOB, data BLOB,
  PRIMARY KEY (start, pid, number));
CREATE INDEX trees_by_key ON trees (key, saved);
CREATE TABLE cursors (
  key BLOB, name TEXT, clock TEXT, moved INTEGER, path BLOB, PRIMARY KEY (key, name));
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""

_DROP_OLD_GENERATIONS = """
DELETE FROM trees WHERE rowid IN (
  SELECT rowid FROM (
    SELECT rowid, row_number() OVER (
      PARTITION BY key ORDER BY saved DESC, rowid DESC) AS place FROM trees)
  WHERE place > ?)
"""

T = TypeVar("T")


class Generation(NamedTuple):
    """One tree as one server watched it: the part of its clocks before the tick."""

    start: int
    pid: int
    number: int


class Entry(NamedTuple):
    """A tree to be saved."""

    generation: Generation
    key: bytes
    """What clients share the tree by: its path and rules."""
    path: bytes
    tree: SavedTree


class SavedCursor(NamedTuple):
    key: bytes
    path: bytes
    name: str
    clock: str


class Summary(NamedTuple):
    """A path of which something is kept."""

    path: bytes
    saved: int
    """When it was saved last, in seconds since 1970."""
    bytes: int
    generations: int


class Store:
    def __init__(self, place: Place) -> None:
        self.place = place

    def save(self, entries: Iterable[Entry], cursors: Iterable[SavedCursor]) -> None:
        """Save trees and cursors in one transaction. Raises Unusable."""
        rows = [
            (*e.generation, e.key, e.path, e.tree.tick, *reversed(pack(e.tree)))
            for e in entries
        ]
        moved = [(c.key, c.path, _storable(c.name), c.clock) for c in cursors]
        now = int(time.time())

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "REPLACE INTO trees (start, pid, number, key, path, tick, digest, data,"
                f" saved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, {now})",
                rows,
            )
            connection.executemany(
                "REPLACE INTO cursors (key, path, name, clock, moved)"
                f" VALUES (?, ?, ?, ?, {now})",
                moved,
            )
            _expire(connection, now)

        self._with_connection(write, make=True)

    def load(self, generation: Generation, key: bytes) -> SavedTree | None:
        """The tree as it was saved last; None if it is not kept. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> SavedTree | None:
            row = connection.execute(
                "SELECT data, digest FROM trees"
                " WHERE start = ? AND pid = ? AND number = ? AND key = ?",
                (*_clamped(generation), key),
            ).fetchone()
            if row is None:
                return None
            data, digest = row
            if not (isinstance(data, bytes) and isinstance(digest, bytes)):
                raise Damaged("no bytes where some belong")
            return unpack(data, digest)

        return self._with_connection(read)

    def cursor(self, key: bytes, name: str) -> str | None:
        """The clock of a named cursor. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT clock FROM cursors WHERE key = ? AND name = ?",
                (key, _storable(name)),
            ).fetchone()
            return row[0] if row is not None and isinstance(row[0], str) else None

        return self._with_connection(read)

    def summaries(self) -> list[Summary]:
        """Everything that is kept, by path. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> list[Summary]:
            rows = connection.execute(
                "SELECT path, max(saved), sum(length(data)), count(*) FROM trees"
                " GROUP BY path ORDER BY path"
            )
            return [Summary(bytes(p), int(s), int(b), int(n)) for p, s, b, n in rows]

        return self._with_connection(read) or []

    def forget(self, path: bytes) -> int:
        """Remove what is kept of a path and below it; return how many trees that were.
        Raises Unusable."""
        below = path.rstrip(b"/") + b"/"

        def write(connection: sqlite3.Connection) -> int:
            where = " WHERE path = ? OR substr(path, 1, ?) = ?"
            what = (path, len(below), below)
            connection.execute("DELETE FROM cursors" + where, what)
            return connection.execute("DELETE FROM trees" + where, what).rowcount

        return self._with_connection(write) or 0

    def _with_connection(
        self, act: Callable[[sqlite3.Connection], T], *, make: bool = False
    ) -> T | None:
        """Do something in one transaction; None where nothing is kept yet."""
        if not self.place.prepare(make=make):
            return None
        try:
            with closing(self._connect()) as connection, connection:
                return act(connection)
        except OSError as error:
            raise Unusable(f"{self.place.path}: {error}") from error
        except (sqlite3.Error, Damaged, ValueError, TypeError) as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_damage(error):
                raise Unusable(f"{self.place.path}: {error}") from error
            self.place.remove()
            raise Unusable(
                f"{self.place.path}: it is damaged ({error}) and was removed"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.place.path, timeout=BUSY_SECONDS)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_master")
            if version == application == tables.fetchone()[0] == 0:
                connection.execute("PRAGMA journal_mode = WAL")
                with suppress(sqlite3.OperationalError):  # another one was faster
                    connection.executescript(_SCHEMA)
            elif application != APPLICATION:
                raise Unusable(f"{self.place.path}: it is another program's database")
            elif version != VERSION:
                raise Unusable(
                    f"{self.place.path}: it is of version {version}, not {VERSION}"
                )
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection


def _is_damage(error: sqlite3.OperationalError) -> bool:
    """Whether the tables are not what they were, and not only out of reach."""
    text = str(error)
    return "no such" in text or "unsupported file format" in text


def _expire(connection: sqlite3.Connection, now: int) -> None:
    """Drop what is old, and the oldest generations of each tree."""
    connection.execute("DELETE FROM trees WHERE saved < ?", (now - KEPT_SECONDS,))
    connection.execute("DELETE FROM cursors WHERE moved < ?", (now - KEPT_SECONDS,))
    connection.execute(_DROP_OLD_GENERATIONS, (MAX_GENERATIONS,))


def _clamped(numbers: Sequence[int]) -> list[int]:
    """Numbers as sqlite takes them: those of a client's clock may be too large."""
    return [min(number, (1 << 63) - 1) for number in numbers]


def _storable(name: str) -> str:
    """A name without what cannot be UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
