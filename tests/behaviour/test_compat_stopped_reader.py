"""A program that is stopped while many files are created, and its server killed.

Each library by itself loses what its queue does not take.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.stopped_readers import READERS, count_while_stopped
from testkit.watches import kill_server, serving

FILES = 3_000


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


@pytest.mark.parametrize("name", READERS)
def test_a_stopped_program_misses_no_file_though_the_server_is_killed(
    name: str, tmp_path: Path
) -> None:
    pytest.importorskip("watchdog")
    code = READERS[name]
    assert count_while_stopped(code, tmp_path, FILES, half_way=kill_server) == FILES
