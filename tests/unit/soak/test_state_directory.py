"""What the random run of interrupted saves says of a save agrees with SQLite."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from soak.state_directory import Progress, Writes, progress_of

SPILLING = "PRAGMA cache_size = 1; CREATE TABLE t (x);"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "some.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SPILLING)
    return path


def log_of(database: Path) -> bytes | None:
    log = database.with_name(database.name + "-wal")
    return log.read_bytes() if log.exists() else None


def test_the_log_of_a_database_says_how_far_a_transaction_came(database: Path) -> None:
    assert progress_of(log_of(database)) is Progress.NOT_BEGUN
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("INSERT INTO t VALUES ('small')")
        assert progress_of(log_of(database)) is Progress.OPEN
        connection.executemany("INSERT INTO t VALUES (?)", [(bytes(9_000),)] * 50)
        assert progress_of(log_of(database)) is Progress.TORN
        connection.commit()
        assert progress_of(log_of(database)) is Progress.COMMITTED
    assert progress_of(log_of(database)) is Progress.NOT_BEGUN


def test_a_log_that_ends_in_the_middle_of_a_page_is_torn(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO t VALUES ('small')")
        connection.commit()
        log = log_of(database)
    assert log is not None
    assert progress_of(log[:-1]) is Progress.TORN
    assert progress_of(log[:20]) is Progress.TORN


def test_waiting_for_steps_ends_with_the_steps_the_process_or_the_time(
    tmp_path: Path,
) -> None:
    lasting = os.pidfd_open(os.getpid())
    reader, writer = os.pipe()
    os.close(writer)  # its end is reported as that of a process is
    try:
        with closing(Writes(tmp_path)) as writes:
            (tmp_path / "one").write_text("text")
            (tmp_path / "two").touch()
            assert writes.wait(3, lasting, 60.0) == 3
            assert writes.wait(1, lasting, 0.001) == 0
            assert writes.wait(1, reader, 60.0) == 0
    finally:
        os.close(lasting)
        os.close(reader)
