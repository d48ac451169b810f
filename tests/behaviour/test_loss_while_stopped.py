"""A server that is stopped while 20,000 files are created.

The kernel's queue is too short for them: a rescan finds what it dropped.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

import gamin
from gamin import Event, Kind, Watch
from gamin.client.blocking import Client
from gamin.protocol.gam.packets import EventCode
from testkit.daemon import until, watched
from testkit.server_state import QUEUE, status, stopped_server
from testkit.watches import SOON

pytestmark = pytest.mark.usefixtures("own_server")

FILES = 20_000


def make_files(folder: Path) -> set[bytes]:
    """More files than fit into the queue, whatever its length is here."""
    count = max(FILES, int(QUEUE.read_text()) + 1000)
    names = {b"file-%d" % number for number in range(count)}
    for name in names:
        path = bytes(folder) + b"/" + name
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    return names


def reported_until(watch: Watch, creations: int) -> list[Event]:
    reported: list[Event] = []
    while sum(event.kind is Kind.CREATED for event in reported) < creations:
        reported += next(watch)
    return reported


def test_a_watch_receives_each_file_once_and_those_the_queue_dropped_are_marked(
    tmp_path: Path,
) -> None:
    with gamin.watch(tmp_path, timeout=SOON) as watch:
        with stopped_server():
            names = make_files(tmp_path)
        reported = reported_until(watch, len(names))
        (tmp_path / "end").touch()
        end = reported_until(watch, 1)
        recoveries = status().recoveries
    assert end[-1].path == str(tmp_path / "end")
    created = Counter(e.path for e in reported + end[:-1] if e.kind is Kind.CREATED)
    assert created == Counter(f"{tmp_path}/{os.fsdecode(name)}" for name in names)
    assert {event.kind for event in reported} <= {Kind.CREATED, Kind.CHANGED}
    assert any(event.recovered for event in reported)
    assert recoveries.overflows == recoveries.rescans == 1


def test_a_libgamin_client_receives_each_file_once(
    tmp_path: Path,
) -> None:
    with Client() as client:
        watched(client, tmp_path)
        with stopped_server():
            names = make_files(tmp_path) | {b"end"}
            (tmp_path / "end").touch()
        reported = until(client, *((EventCode.CREATED, name) for name in names))
        assert status().recoveries.overflows == 1
    created = Counter(e.path for e in reported if e.code == EventCode.CREATED)
    assert created == Counter(names)
