"""The tables of a store, and the program and the version that they belong to."""

import sqlite3

from gamin.state.place import Unusable

VERSION = 5
"""The version of the tables."""
OLD_VERSIONS = frozenset({1, 2, 3, 4})
"""Versions that this one replaces: what they hold can be learned again."""
APPLICATION = 0x67616D69
"""What `file` and sqlite know the database by: "gami"."""

_TABLES = (
    "CREATE TABLE trees ("
    " start INTEGER, pid INTEGER, number INTEGER, key BLOB, path BLOB, tick INTEGER,"
    " saved INTEGER, header BLOB, chunks INTEGER, chain BLOB, digest BLOB,"
    " PRIMARY KEY (start, pid, number))",
    "CREATE INDEX trees_by_key ON trees (key, saved)",
    "CREATE TABLE chunks ("
    " start INTEGER, pid INTEGER, number INTEGER, place INTEGER, data BLOB,"
    " PRIMARY KEY (start, pid, number, place))",
    "CREATE TABLE cursors ("
    " key BLOB, name TEXT, clock TEXT, digest BLOB, moved INTEGER, path BLOB,"
    " PRIMARY KEY (key, name))",
    "CREATE TABLE client_servers ("
    " start INTEGER, pid INTEGER, saved INTEGER, completeness BLOB,"
    " PRIMARY KEY (start, pid))",
    "CREATE TABLE clients ("
    " start INTEGER, pid INTEGER, number INTEGER, process BLOB, asked BLOB,"
    " PRIMARY KEY (start, pid, number))",
    "CREATE TABLE client_paths ("
    " start INTEGER, pid INTEGER, path BLOB, is_directory INTEGER, belief BLOB,"
    " PRIMARY KEY (start, pid, path, is_directory))",
)
_NAMES = ("trees", "chunks", "cursors", "client_servers", "clients", "client_paths")


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Make the tables of a database that has none yet, or those of an old version.

    Raises Unusable if the database is another program's or of a newer version, and
    sqlite3.Error."""
    # All at one moment: another process may be making the tables.
    connection.execute("BEGIN")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    is_new = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    connection.rollback()
    if version == application == 0 and is_new:
        connection.execute("PRAGMA journal_mode = WAL")
        make_tables(connection)
    elif application != APPLICATION:
        raise Unusable(f"{path}: it is another program's database")
    elif version in OLD_VERSIONS:
        make_tables(connection)
    elif version != VERSION:
        raise Unusable(f"{path}: it is of version {version}, not {VERSION}")


def make_tables(connection: sqlite3.Connection) -> None:
    """Make all tables in the place of old ones, unless another thread or process was
    faster. Raises sqlite3.OperationalError where there is no room for them."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone() == (VERSION,):
            return
        for name in _NAMES:
            connection.execute(f"DROP TABLE IF EXISTS {name}")
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
