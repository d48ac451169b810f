"""A path that never rests is reported once in an interval, and others are not delayed.

How prompt a report is, is measured by `bench`, and its unit tests say how many reports
a second has. Here the server's own reports are the clock, since the machine is shared
by whatever else runs on it: bounds are far from both what is usual and what a server
without flow control does.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest

from gamin.cli.status import Watches
from gamin.client.blocking import Client
from gamin.protocol.gam.client import Event
from gamin.protocol.gam.packets import EventCode
from testkit.daemon import Daemon, daemon, until, watched
from testkit.server_state import status
from testkit.storms import appending, coming_and_going
from testkit.waiting import eventually

RATE = 5000
"""Writes a second into a file that never rests."""
INTERVAL = 0.2
"""Seconds."""
SHORT = f"flow report_interval {INTERVAL}\n"
"""Rules for busy paths that are reported five times a second."""
QUICK = (
    "flow calm_seconds 0.2\nflow report_interval 0.1\nflow raw_events_per_second 50\n"
)
STORMS = [
    pytest.param(lambda box: appending(box / "log", RATE), id="a hammered file"),
    pytest.param(lambda box: coming_and_going(box, 1000), id="a directory in turmoil"),
]
Storm = Callable[[Path], AbstractContextManager[None]]


def reported_within(client: Client, seconds: float) -> list[Event]:
    end = time.monotonic() + seconds
    reported = []
    while (left := end - time.monotonic()) > 0:
        event = client.next_event(left)
        if event is not None:
            reported.append(event)
    return reported


def watches(served: Daemon) -> Watches:
    return status(served.environ).watches


def become_busy(served: Daemon) -> None:
    eventually(lambda: watches(served).busy, what="a busy path")


def become_calm(served: Daemon) -> None:
    eventually(lambda: not watches(served).busy, what="no busy path")


def first_reports(client: Client) -> list[Event]:
    """What is reported before the path is busy. It waits until the client has had time
    to read its listing."""
    first = client.next_event(10)
    assert first is not None
    return [first, *reported_within(client, 0.1)]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    (box / "log").touch()
    return box


@pytest.mark.parametrize("storm", STORMS)
def test_what_never_rests_is_reported_once_in_an_interval_after_a_short_burst(
    session: str, tmp_path: Path, box: Path, storm: Storm
) -> None:
    with (
        daemon(session, tmp_path, rules=SHORT) as served,
        served.client() as client,
    ):
        watched(client, box)
        began = time.monotonic()
        with storm(box):
            become_busy(served)
            burst = first_reports(client)
            intervals = (time.monotonic() - began) / INTERVAL
            reported = Counter(event.path for event in reported_within(client, 1.0))
        paths = len({event.path for event in burst})
        assert len(burst) <= 20 + 2 * paths * intervals
        # A report may be two events. What a client that was not run for a while finds
        # in its socket is older than the last second.
        intervals = (time.monotonic() - began) / INTERVAL
        assert max(reported.values(), default=0) <= 4 + 2 * intervals


def test_a_file_written_all_the_time_is_polled_and_reported(
    session: str, tmp_path: Path, box: Path
) -> None:
    """Once it is polled, the writes do not wake the server up."""
    with (
        daemon(session, tmp_path, rules=SHORT) as served,
        served.client() as client,
    ):
        watched(client, box)
        with appending(box / "log", RATE):
            eventually(lambda: watches(served).polled, what="polling")
            written, woken = (box / "log").stat().st_size, served.wakeups()
            reported = until(client, *[(EventCode.CHANGED, b"log")] * 2)
            reported += reported_within(client, 0.5)
            woken = served.wakeups() - woken
            written = (box / "log").stat().st_size - written
        assert {event.path for event in reported} == {b"log"}
        assert woken < written / 5


def test_the_last_state_of_a_busy_file_is_reported_when_the_writes_end(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        with appending(box / "log", RATE):
            become_busy(served)
            first_reports(client)
        while client.next_event(0):
            pass
        until(client, (EventCode.CHANGED, b"log"))


@pytest.mark.parametrize("storm", STORMS)
def test_others_do_not_wait_for_the_reports_of_what_never_rests(
    session: str, tmp_path: Path, box: Path, storm: Storm
) -> None:
    """A client that waited for them would learn of one file after each report at
    best."""
    other = tmp_path / "other"
    other.mkdir()
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, other)
        with served.client() as victim:
            watched(victim, box)
            with storm(box):
                become_busy(served)
                first_reports(victim)
                for number in range(50):
                    (other / str(number)).touch()
                    until(client, (EventCode.CREATED, b"%d" % number))
                reports = Counter(event.path for event in reported_within(victim, 0.1))
    assert max(reports.values(), default=0) < 40


@pytest.mark.parametrize("storm", STORMS)
def test_a_lasting_file_in_a_busy_directory_is_reported_meanwhile_and_once(
    session: str, tmp_path: Path, box: Path, storm: Storm
) -> None:
    names = [b"stays-%d" % number for number in range(5)]
    with (
        daemon(session, tmp_path, rules=SHORT) as served,
        served.client() as client,
    ):
        watched(client, box)
        with storm(box):
            become_busy(served)
            reported = first_reports(client)
            for name in names:
                (box / name.decode()).touch()
                reported += until(client, (EventCode.CREATED, name))
    counted = Counter(
        event.path for event in reported if event.code == EventCode.CREATED
    )
    assert [counted[name] for name in names] == [1] * len(names)


def test_a_busy_file_watched_alone_and_in_a_directory_is_reported_for_both(
    session: str, tmp_path: Path, box: Path
) -> None:
    with (
        daemon(session, tmp_path, rules=SHORT) as served,
        served.client() as client,
    ):
        folder = watched(client, box)
        file = client.watch_file(box / "log")
        until(client, (EventCode.END_EXIST, bytes(box / "log")))
        began = time.monotonic()
        with appending(box / "log", 100):
            become_busy(served)
            first_reports(client)
            reported = Counter(event.number for event in reported_within(client, 1.0))
        intervals = (time.monotonic() - began) / INTERVAL
    assert reported.keys() == {folder, file}
    assert max(reported.values()) <= 4 + 2 * intervals


def test_thirty_five_short_files_a_second_give_few_events(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        with coming_and_going(box, 35):
            assert 1 <= len(reported_within(client, 2)) <= 2 * 13


def test_what_has_become_calm_is_still_followed(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path, rules=QUICK) as served, served.client() as client:
        watched(client, box)
        with appending(box / "log", RATE):
            eventually(lambda: watches(served).polled, what="polling")
        become_calm(served)
        while client.next_event(0.1):
            pass
        with (box / "log").open("a") as log:
            log.write("x")
        until(client, (EventCode.CHANGED, b"log"))


def test_no_change_is_lost_when_the_backend_changes(
    session: str, tmp_path: Path, box: Path
) -> None:
    """Bursts after which the directory is polled, pauses in which it becomes calm, and
    files that come and go at any moment: what the client believes is what is there."""
    dice = random.Random(7)
    believed = {b"log"}
    bursts = count()
    with daemon(session, tmp_path, rules=QUICK) as served, served.client() as client:
        watched(client, box)
        for _ in range(3):
            while not watches(served).polled:
                _burst(box, dice, next(bursts))
                _believe(believed, reported_within(client, 0.02))
            for pause in (0, 0.3):
                _burst(box, dice, next(bursts))
                _believe(believed, reported_within(client, pause))
            become_calm(served)
            _burst(box, dice, next(bursts))
            _believe(believed, reported_within(client, 0.1))
        become_calm(served)
        (box / "end").touch()
        while b"end" not in believed:
            _believe(believed, reported_within(client, 0.1))
    assert believed == {bytes(path.relative_to(box)) for path in box.iterdir()}


def _burst(box: Path, dice: random.Random, turn: int) -> None:
    for number in range(150):
        (box / "short").touch()
        (box / "short").unlink()
        (box / "log").write_text("x")
        if dice.random() < 0.1:
            (box / f"kept-{turn}-{number}").touch()
        if dice.random() < 0.05:
            dice.choice([*box.glob("kept-*"), box / "log"]).unlink()
            (box / "log").touch()


def _believe(believed: set[bytes], reported: list[Event]) -> None:
    for event in reported:
        if event.code == EventCode.CREATED:
            assert event.path not in believed, event
            believed.add(event.path)
        elif event.code == EventCode.DELETED:
            believed.remove(event.path)
        else:
            assert event.path in believed, event
