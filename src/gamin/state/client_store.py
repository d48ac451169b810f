"""What clients of libgamin's language believed, in the database of a session."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gamin.state.saved import Damaged
from gamin.state.saved_client import (
    Asked,
    ClientKey,
    Completeness,
    PastClient,
    PathBelief,
    SavedClient,
    ServerKey,
    pack,
    unpack_asked,
    unpack_belief,
    unpack_completeness,
)
from gamin.state.store import (
    DEFAULTS,
    DROP_LONELY_CLIENTS,
    DROP_LONELY_PATHS,
    Store,
)

PATHS_PER_READ = 64
"""Paths that are read in one go."""

_OF_SERVER = " WHERE start = ? AND pid = ?"
_OF_CLIENT = _OF_SERVER + " AND number = ?"
_DROP_LONELY_SERVERS = """
DELETE FROM client_servers WHERE (start, pid) NOT IN
  (SELECT start, pid FROM clients)
"""

PathKey = tuple[bytes, bool]
"""An absolute path, and whether it was asked for as a directory."""


class Change(NamedTuple):
    """What is new since the last save of a server."""

    server: ServerKey
    completeness: Completeness
    clients: Sequence[SavedClient]
    gone: Sequence[ClientKey]
    """Clients of which nothing is kept any more; those of earlier servers, too."""
    paths: Sequence[tuple[PathKey, PathBelief | None]]
    """None: it is not known what is there."""


class ClientStore:
    def __init__(self, store: Store) -> None:
        self.store = store

    def save(
        self,
        change: Change,
        is_first: bool,
        is_alive: Callable[[bytes], bool],
        kept_days: int = DEFAULTS.kept_days,
    ) -> bool:
        """Save what is new. Return False if what was saved before is not there any
        more. Raises Unusable.

        `is_first`: nothing was saved before. Then clients of earlier servers are
        removed whose process does not exist any more (`is_alive`), or that were saved
        more than `kept_days` ago.
        """
        saved = int(time.time())

        def write(connection: sqlite3.Connection) -> bool:
            server = change.server
            if is_first:
                connection.execute("DELETE FROM client_paths" + _OF_SERVER, server)
                connection.execute("DELETE FROM clients" + _OF_SERVER, server)
                oldest = saved - kept_days * 86_400
                connection.execute(
                    "DELETE FROM client_servers WHERE saved < ?", (oldest,)
                )
                connection.execute(DROP_LONELY_CLIENTS)
                _drop_dead(connection, is_alive)
            else:
                found = connection.execute(
                    "SELECT count(*) FROM client_servers" + _OF_SERVER, server
                ).fetchone()
                if found != (1,):
                    return False
            for gone in change.gone:
                connection.execute("DELETE FROM clients" + _OF_CLIENT, gone)
            for client in change.clients:
                if client.is_new and client.asked:
                    self._drop_earlier(connection, client)
                connection.execute(
                    "REPLACE INTO clients (start, pid, number, process, asked)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (
                        *(*client.key, client.process),
                        pack(client.asked, self._owner(client.key, client.process)),
                    ),
                )
            for (way, is_directory), belief in change.paths:
                self._save_path(connection, server, way, is_directory, belief)
            connection.execute(
                "REPLACE INTO client_servers (start, pid, saved, completeness)"
                " VALUES (?, ?, ?, ?)",
                (*server, saved, pack(change.completeness, self._owner(server))),
            )
            return True

        return self.store.with_connection(write, make=True) or False

    def of_process(self, process: bytes) -> list[PastClient]:
        """The clients of a process at earlier servers. Raises Unusable."""

        def read(connection: sqlite3.Connection) -> list[PastClient]:
            rows = connection.execute(
                "SELECT start, pid, number, asked, completeness"
                " FROM clients JOIN client_servers USING (start, pid)"
                " WHERE process = ? ORDER BY saved DESC, number",
                (process,),
            ).fetchall()
            found = []
            for start, pid, number, asked, completeness in rows:
                key = ClientKey(start, pid, number)
                found.append(
                    PastClient(
                        key,
                        unpack_completeness(completeness, self._owner(key[:2])),
                        unpack_asked(asked, self._owner(key, process)),
                    )
                )
            return found

        return self.store.with_connection(read) or []

    def paths(
        self, server: ServerKey, keys: Sequence[PathKey]
    ) -> dict[PathKey, PathBelief]:
        """What was at these paths; those are missing of which it is not known. Raises
        Unusable."""

        def read(connection: sqlite3.Connection) -> dict[PathKey, PathBelief]:
            found = {}
            for way, is_directory in keys:
                row = connection.execute(
                    "SELECT belief FROM client_paths"
                    + _OF_SERVER
                    + " AND path = ? AND is_directory = ?",
                    (*server, way, is_directory),
                ).fetchone()
                if row is not None:
                    owner = self._owner(server, is_directory, way)
                    found[way, is_directory] = unpack_belief(row[0], owner)
            return found

        return self.store.with_connection(read) or {}

    def _save_path(
        self,
        connection: sqlite3.Connection,
        server: ServerKey,
        way: bytes,
        is_directory: bool,
        belief: PathBelief | None,
    ) -> None:
        place = (*server, way, is_directory)
        if belief is None:
            connection.execute(
                "DELETE FROM client_paths"
                + _OF_SERVER
                + " AND path = ? AND is_directory = ?",
                place,
            )
        else:
            connection.execute(
                "REPLACE INTO client_paths (start, pid, path, is_directory, belief)"
                " VALUES (?, ?, ?, ?, ?)",
                (*place, pack(belief, self._owner(server, is_directory, way))),
            )

    def _drop_earlier(
        self, connection: sqlite3.Connection, client: SavedClient
    ) -> None:
        """Remove what an earlier server saved of the same client.

        Where it is not known which that is, it is the latest one of the same process
        that made the first request, too: a client may come back and ask for listings.
        """
        if client.replaces is not None:
            connection.execute("DELETE FROM clients" + _OF_CLIENT, client.replaces)
            return
        rows = connection.execute(
            "SELECT start, pid, number, asked FROM clients"
            " WHERE process = ? AND (start, pid) <> (?, ?) ORDER BY start DESC",
            (client.process, *client.key[:2]),
        ).fetchall()
        for start, pid, number, asked in rows:
            key = ClientKey(start, pid, number)
            before: list[Asked] = unpack_asked(asked, self._owner(key, client.process))
            if client.asked[0] in before:
                connection.execute("DELETE FROM clients" + _OF_CLIENT, key)
                return

    def _owner(self, key: Sequence[int], *more: bytes | bool) -> bytes:
        """Whose a row is. The session belongs to it: files can be exchanged."""
        return repr((self.store.place.session, *key, *more)).encode()


def _drop_dead(
    connection: sqlite3.Connection, is_alive: Callable[[bytes], bool]
) -> None:
    """Remove the clients whose process is gone, and what only they asked for."""
    rows = connection.execute("SELECT DISTINCT process FROM clients").fetchall()
    for (process,) in rows:
        if not isinstance(process, bytes):
            raise Damaged("no bytes where some belong")
        if not is_alive(process):
            connection.execute("DELETE FROM clients WHERE process = ?", (process,))
    connection.execute(_DROP_LONELY_SERVERS)
    connection.execute(DROP_LONELY_PATHS)
