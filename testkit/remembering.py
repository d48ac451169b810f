"""Servers of tests that keep what they know for the next server."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from testkit.waiting import eventually
from testkit.watches import serving


@contextmanager
def remembering(session: str, folder: Path) -> Iterator[Path]:
    """As `serving`, and its servers keep their state below the folder; returns the
    directory that they make there."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("GAMIN_STATE", raising=False)
        environment.setenv("XDG_STATE_HOME", str(folder))
        with serving(session):
            yield folder / "gamin"


def until_saved(state: Path, clock: str) -> None:
    """Wait until the server has saved a tree as it was at the clock, or later."""
    tick = int(clock.rpartition(":")[2])
    eventually(lambda: any(saved >= tick for saved in _saved_ticks(state)))


def _saved_ticks(state: Path) -> list[int]:
    """The ticks up to which trees were saved."""
    try:
        [file] = state.glob("*.sqlite")
        with closing(sqlite3.connect(file)) as connection:
            return [t for (t,) in connection.execute("SELECT tick FROM trees")]
    except (ValueError, sqlite3.OperationalError):
        return []
