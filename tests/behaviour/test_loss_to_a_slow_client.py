"""A client that does not read during a storm costs no memory, and loses nothing.

The server keeps no queue for it. When it reads again it receives the difference.
"""

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gamin
from gamin import Kind, Watch
from testkit.beliefs.watch import Belief, differences, there
from testkit.daemon import daemon
from testkit.server_state import resident, status
from testkit.waiting import eventually
from testkit.watches import SOON, created, until

NO_FLOW = """\
flow reports_per_second 1000000
flow churn_per_second 1000000
flow raw_events_per_second 1000000
"""
"""Otherwise what changes so often is reported once a second to any client."""

FILES = 200
ROUNDS = 150
LONG = "long-" * 40
SLACK = 3 << 20
"""Bytes of memory by which two runs of the same server differ anyway. What is reported
in a run is several times as much."""


@contextmanager
def own_daemon(session: str, folder: Path) -> Iterator[None]:
    with (
        daemon(session, folder, rules=NO_FLOW, is_program=True) as served,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in served.environ.items():
            environment.setenv(name, value)
        yield


def flood(folder: Path, reader: Watch) -> None:
    """Change every file again and again; `reader` keeps up, and so shows that all of it
    was detected."""
    files = [str(folder / f"{LONG}{number}") for number in range(FILES)]
    for number in range(ROUNDS):
        for file in files:
            os.truncate(file, number % 2)
        end = folder / f"end-{number}"
        end.touch()
        until(reader, created(end))


def growth(folder: Path, reader: Watch) -> int:
    """Bytes of memory by which the server has grown after a flood."""
    pid = status().pid
    # In its first idle moment a server imports what it may need later.
    maps = Path(f"/proc/{pid}/maps")
    eventually(lambda: "_sqlite3" in maps.read_text(), what="the imports")
    before = resident(pid)
    flood(folder, reader)
    return resident(pid) - before


def boxes(place: Path) -> Iterator[Path]:
    for number in itertools.count():
        box = place / f"box-{number}"
        box.mkdir()
        for file in range(FILES):
            (box / f"{LONG}{file}").touch()
        yield box


def test_the_server_keeps_no_memory_for_a_client_that_does_not_read(
    session: str, tmp_path: Path
) -> None:
    reported = ROUNDS * FILES * len(LONG)
    assert reported > SLACK
    box, other = itertools.islice(boxes(tmp_path), 2)
    with own_daemon(session, tmp_path / "home"):
        with gamin.watch(box, timeout=SOON) as reader:
            first = growth(box, reader)
        with (
            gamin.watch(other, timeout=SOON) as reader,
            gamin.watch(other),
        ):
            assert growth(other, reader) < first + SLACK


def test_a_client_that_reads_again_receives_exactly_the_difference(
    session: str, tmp_path: Path
) -> None:
    box = next(boxes(tmp_path))
    kept, gone, new = box / "kept", box / "gone", box / "new"
    kept.mkdir()
    gone.touch()
    with (
        own_daemon(session, tmp_path / "home"),
        gamin.watch(box, timeout=SOON) as reader,
        gamin.watch(box, initial=True, timeout=SOON) as slow,
    ):
        belief = Belief(box)
        belief.take(next(slow))
        flood(box, reader)
        gone.unlink()
        for name in ("short-lived", "again"):
            (kept / name).touch()
            (kept / name).unlink()
        (kept / "again").touch()
        new.mkdir()
        (new / "last").touch()
        until(reader, created(new / "last"))
        reported = []
        while created(new / "last") not in reported:
            reported += next(slow)
        belief.take(reported)
    assert not belief.contradictions
    assert not differences(belief.top, there(box))
    assert len(reported) < FILES * ROUNDS / 2, "most of it was never told one by one"
    assert (
        max(Counter(e.path for e in reported if e.kind is not Kind.CHANGED).values())
        == 1
    )
