"""The database of one session: saved trees, named cursors, and clients' beliefs.

It is opened when something is to be read or written, and never before. Whatever is
wrong with it raises Unusable, with the reason; a damaged one is removed, because all of
it can be learned again.

Each digest is also one of the row's owner: the session, and what the row is about. So
it is detected when a row, a file or sqlite's log is that of another store.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import NamedTuple, TypeVar

from gamin.config.state_settings import StateSettings
from gamin.state import schema
from gamin.state.place import Place, Unusable
from gamin.state.saved import Damaged, Header, chained, pack_header, unpack_header

DEFAULTS = StateSettings()
"""For callers without a configuration."""
BUSY_SECONDS = 2.0
"""How long to wait for another process that has the database locked."""

_DROP_OLD_GENERATIONS = """
DELETE FROM trees WHERE rowid IN (
  SELECT rowid FROM (
    SELECT rowid, row_number() OVER (
      PARTITION BY key ORDER BY saved DESC, rowid DESC) AS place FROM trees)
  WHERE place > ?)
"""
_DROP_LONELY_CHUNKS = """
DELETE FROM chunks WHERE (start, pid, number) NOT IN
  (SELECT start, pid, number FROM trees)
"""
DROP_LONELY_CLIENTS = """
DELETE FROM clients WHERE (start, pid) NOT IN (SELECT start, pid FROM client_servers)
"""
"""Removes the clients of servers of which nothing is kept."""
DROP_LONELY_PATHS = """
DELETE FROM client_paths WHERE (start, pid) NOT IN
  (SELECT start, pid FROM client_servers)
"""
"""Removes what was at the paths of their clients."""
_SIZES = """
SELECT start, pid, number, (
  SELECT coalesce(sum(length(data)), 0) FROM chunks c
  WHERE c.start = t.start AND c.pid = t.pid AND c.number = t.number)
FROM trees t ORDER BY saved, rowid
"""
_IT = " WHERE start = ? AND pid = ? AND number = ?"

T = TypeVar("T")


class Generation(NamedTuple):
    """One tree as one server watched it: the part of its clocks before the tick."""

    start: int
    pid: int
    number: int


class Base(NamedTuple):
    """The chunks of a tree that are saved already."""

    chunks: int
    chain: bytes
    """Their digest."""


NOTHING = Base(0, b"")


class Entry(NamedTuple):
    """A tree to be saved."""

    generation: Generation
    key: bytes
    """What clients share the tree by: its path and rules."""
    path: bytes
    header: Header
    chunks: Sequence[bytes]
    """What is not part of the base."""
    base: Base = NOTHING


class Kept(NamedTuple):
    """A tree that is kept: what is to be known before its chunks are read."""

    header: Header
    base: Base


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

    def save(
        self,
        entries: Iterable[Entry],
        cursors: Iterable[SavedCursor],
        settings: StateSettings = DEFAULTS,
    ) -> dict[Generation, Base]:
        """Save trees and cursors in one transaction. Return what is saved now of each
        tree; those are missing whose base is not there. Raises Unusable."""
        moved = [
            (c.key, c.path, name, c.clock, self._cursor_digest(c.key, name, c.clock))
            for c in cursors
            for name in [_storable(c.name)]
        ]
        now = int(time.time())

        def write(connection: sqlite3.Connection) -> dict[Generation, Base]:
            saved = {}
            for entry in entries:
                base = self._save_tree(connection, entry, now)
                if base is not None:
                    saved[entry.generation] = base
            connection.executemany(
                "REPLACE INTO cursors (key, path, name, clock, digest, moved)"
                f" VALUES (?, ?, ?, ?, ?, {now})",
                moved,
            )
            _expire(connection, now, settings)
            return saved

        return self.with_connection(write, make=True) or {}

    def find(self, generation: Generation, key: bytes) -> Kept | None:
        """The tree as it was saved last; None if it is not kept. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> Kept | None:
            row = connection.execute(
                "SELECT header, chunks, chain, digest FROM trees"
                + _IT
                + " AND key = ?",
                (*_clamped(generation), key),
            ).fetchone()
            if row is None:
                return None
            header, count, chain, digest = row
            if not (isinstance(header, bytes) and isinstance(chain, bytes)):
                raise Damaged("no bytes where some belong")
            if digest != self._tree_digest(generation, key, header, count, chain):
                raise Damaged("the checksum is another one")
            return Kept(unpack_header(header), Base(count, chain))

        return self.with_connection(read)

    def chunks(self, generation: Generation, first: int, most: int) -> list[bytes]:
        """At most so many chunks of a tree, from one of them on. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> list[bytes]:
            rows = connection.execute(
                "SELECT data FROM chunks" + _IT + " AND place >= ? ORDER BY place"
                " LIMIT ?",
                (*_clamped(generation), first, most),
            ).fetchall()
            if not all(isinstance(data, bytes) for (data,) in rows):
                raise Damaged("no bytes where some belong")
            return [data for (data,) in rows]

        return self.with_connection(read) or []

    def damaged(self, reason: str) -> Unusable:
        """What was read makes no sense: remove it all."""
        self.place.remove()
        path = self.place.path
        return Unusable(f"{path}: it is damaged ({reason}) and was removed")

    def cursor(self, key: bytes, name: str) -> str | None:
        """The clock of a named cursor. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT clock, digest FROM cursors WHERE key = ? AND name = ?",
                (key, _storable(name)),
            ).fetchone()
            if row is None:
                return None
            clock, digest = row
            if digest != self._cursor_digest(key, _storable(name), clock):
                raise Damaged("the checksum of a cursor is another one")
            return str(clock)

        return self.with_connection(read)

    def summaries(self) -> list[Summary]:
        """Everything that is kept, by path. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> list[Summary]:
            rows = connection.execute(
                "SELECT path, max(saved), sum(bytes), count(*) FROM"
                " (SELECT path, saved, (SELECT coalesce(sum(length(data)), 0)"
                " FROM chunks c WHERE c.start = t.start AND c.pid = t.pid"
                " AND c.number = t.number) AS bytes FROM trees t"
                " UNION ALL SELECT path, saved, length(belief) AS bytes"
                " FROM client_paths JOIN client_servers USING (start, pid))"
                " GROUP BY path ORDER BY path"
            )
            return [Summary(bytes(p), int(s), int(b), int(n)) for p, s, b, n in rows]

        return self.with_connection(read) or []

    def forget(self, path: bytes) -> int:
        """Remove what is kept of a path and below it; return how many trees that were.
        Raises Unusable."""
        below = path.rstrip(b"/") + b"/"

        def write(connection: sqlite3.Connection) -> int:
            where = " WHERE path = ? OR substr(path, 1, ?) = ?"
            what = (path, len(below), below)
            connection.execute("DELETE FROM cursors" + where, what)
            count = connection.execute("DELETE FROM trees" + where, what).rowcount
            connection.execute(_DROP_LONELY_CHUNKS)
            count += connection.execute(
                "DELETE FROM client_paths" + where, what
            ).rowcount
            return count

        return self.with_connection(write) or 0

    def with_connection(
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
            raise self.damaged(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.place.path, timeout=BUSY_SECONDS)
        try:
            schema.prepare(connection, self.place.path)
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _save_tree(
        self, connection: sqlite3.Connection, entry: Entry, now: int
    ) -> Base | None:
        """Write what is new of a tree; return what is saved of it now. None if its base
        is not what is there: somebody had it forgotten."""
        place = entry.generation
        count, chain = entry.base
        if count:
            found = connection.execute(
                "SELECT chunks, chain FROM trees" + _IT, place
            ).fetchone()
            if found != entry.base:
                return None
        else:
            connection.execute("DELETE FROM chunks" + _IT, place)
        for data in entry.chunks:
            connection.execute(
                "INSERT INTO chunks (start, pid, number, place, data)"
                " VALUES (?, ?, ?, ?, ?)",
                (*place, count, data),
            )
            count += 1
            chain = chained(chain, data)
        header = pack_header(entry.header)
        digest = self._tree_digest(place, entry.key, header, count, chain)
        connection.execute(
            "REPLACE INTO trees (start, pid, number, key, path, tick, saved, header,"
            " chunks, chain, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(*place, entry.key, entry.path, entry.header.tick, now, header),
                *(count, chain, digest),
            ),
        )
        return Base(count, chain)

    def _tree_digest(
        self, place: Generation, key: bytes, header: bytes, count: int, chain: bytes
    ) -> bytes:
        owner = (self.place.session, *place, key)
        return chained(chain, repr((*owner, count)).encode() + header)

    def _cursor_digest(self, key: bytes, name: str, clock: object) -> bytes:
        return chained(b"", repr((self.place.session, key, name, clock)).encode())


def _is_damage(error: sqlite3.OperationalError) -> bool:
    """Whether the tables are not what they were, and not only out of reach."""
    text = str(error)
    return "no such" in text or "unsupported file format" in text


def _expire(connection: sqlite3.Connection, now: int, settings: StateSettings) -> None:
    """Drop what is old, the oldest generations of each tree, and what is too much."""
    oldest = now - settings.kept_days * 86_400
    connection.execute("DELETE FROM trees WHERE saved < ?", (oldest,))
    connection.execute("DELETE FROM cursors WHERE moved < ?", (oldest,))
    connection.execute("DELETE FROM client_servers WHERE saved < ?", (oldest,))
    connection.execute(DROP_LONELY_CLIENTS)
    connection.execute(DROP_LONELY_PATHS)
    connection.execute(_DROP_OLD_GENERATIONS, (settings.servers,))
    connection.execute(_DROP_LONELY_CHUNKS)
    rows = connection.execute(_SIZES).fetchall()
    left = sum(size for *_, size in rows)
    for *place, size in rows[:-1]:
        if left <= settings.megabytes * 1_000_000:
            break
        connection.execute("DELETE FROM trees" + _IT, place)
        connection.execute("DELETE FROM chunks" + _IT, place)
        left -= size


def _clamped(numbers: Sequence[int]) -> list[int]:
    """Numbers as sqlite takes them: those of a client's clock may be too large."""
    return [min(number, (1 << 63) - 1) for number in numbers]


def _storable(name: str) -> str:
    """A name without what cannot be UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
