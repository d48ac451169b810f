"""Tables are made once, replace old ones, and are left alone where they are newer."""

import os
import sqlite3
from contextlib import closing, suppress
from functools import partial
from typing import Any

import pytest

from gamin.state import store as store_module
from gamin.state.place import Place, Unusable
from gamin.state.schema import APPLICATION, OLD_VERSIONS, VERSION, make_tables
from gamin.state.store import Generation, Store
from tests.unit.state.test_saved import HEADER
from tests.unit.state.test_store import CHUNK, FIRST, KEY, entry, read


def as_version(place: Place, version: int) -> None:
    """Have the store look like one of another version."""
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", sorted(OLD_VERSIONS))
def test_the_tables_of_an_old_version_are_replaced(place: Place, version: int) -> None:
    store = Store(place)
    store.save([entry()], [])
    as_version(place, version)
    assert read(store) is None
    store.save([entry()], [])
    assert read(store) == (HEADER, [CHUNK])


def test_a_store_of_an_earlier_version_is_replaced(place: Place) -> None:
    assert place.prepare(make=True)
    with closing(sqlite3.connect(place.path)) as connection:
        connection.executescript(
            "CREATE TABLE trees (data BLOB); CREATE TABLE cursors (name TEXT);"
            f"PRAGMA user_version = 1; PRAGMA application_id = {APPLICATION};"
        )
    store = Store(place)
    assert read(store) is None
    store.save([entry()], [])
    assert read(store) == (HEADER, [CHUNK])


def test_two_that_make_the_store_at_once_both_use_it(place: Place) -> None:
    """The second one finds no tables, waits for the first one, and finds them."""
    Store(place).save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection:
        make_tables(connection)
        assert not connection.in_transaction
    assert read(Store(place)) == (HEADER, [CHUNK])


def test_a_store_that_another_makes_while_it_is_opened_is_used(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one can be between any two questions that the first one asks."""
    real = sqlite3.connect

    class Slow(sqlite3.Connection):
        def execute(self, text: str, *arguments: Any) -> sqlite3.Cursor:
            found = super().execute(text, *arguments)
            if text == "PRAGMA user_version" and sqlite3.connect is not real:
                row = found.fetchone()
                monkeypatch.setattr(sqlite3, "connect", real)
                with suppress(Unusable):  # it has to wait for the first one
                    Store(place).save([entry(Generation(7, 7, 7))], [])
                found = super().execute("SELECT ?", row)
            return found

    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0)
    monkeypatch.setattr(sqlite3, "connect", partial(real, factory=Slow))
    Store(place).save([entry()], [])
    assert read(Store(place)) == (HEADER, [CHUNK])


@pytest.mark.parametrize(
    "pragma", [f"user_version = {VERSION + 1}", "application_id = 7"]
)
def test_a_store_of_another_version_or_program_is_left_as_it_is(
    place: Place, pragma: str
) -> None:
    Store(place).save([entry()], [])
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute(f"PRAGMA {pragma}")
        connection.commit()
    with pytest.raises(Unusable):
        Store(place).find(FIRST, KEY)
    with pytest.raises(Unusable):
        Store(place).save([entry()], [])
    assert os.path.exists(place.path)
