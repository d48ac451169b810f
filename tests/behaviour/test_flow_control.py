"""A path that never rests is reported once a second, and others are not delayed.

How prompt a report is, is measured by `bench`; here the server's own reports are the
clock, since the machine is shared by whatever else runs on it.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gamin.client.blocking import Client
from gamin.protocol.gam.client import Event
from gamin.protocol.gam.packets import EventCode
from testkit.daemon import daemon, until, watched
from testkit.storms import appending, coming_and_going

RATE = 5000
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


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    (box / "log").touch()
    return box


@pytest.mark.parametrize("storm", STORMS)
def test_a_file_written_all_the_time_is_reported_once_a_second_after_a_short_burst(
    session: str, tmp_path: Path, box: Path, storm: Storm
) -> None:
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        with storm(box):
            burst = reported_within(client, 1.2)
            spent = served.ticks()
            reported = Counter(event.path for event in reported_within(client, 3))
            assert served.ticks() - spent < 45, "15 % of a core"
        assert len(burst) < 20
        assert all(count <= 4 for count in reported.values())
        assert reported[b"log"] <= 4


def test_the_last_state_of_a_busy_file_is_reported_when_the_writes_end(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        with appending(box / "log", RATE):
            reported_within(client, 1.5)
        (box / "end").touch()
        until(client, (EventCode.CHANGED, b"log"), (EventCode.CREATED, b"end"))


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
                reported_within(victim, 0.5)
                for number in range(50):
                    (other / str(number)).touch()
                    until(client, (EventCode.CREATED, b"%d" % number))
                reports = Counter(event.path for event in reported_within(victim, 0.5))
    assert reports[b"log"] < 40


@pytest.mark.parametrize("storm", STORMS)
def test_a_lasting_file_in_a_busy_directory_is_reported_meanwhile_and_once(
    session: str, tmp_path: Path, box: Path, storm: Storm
) -> None:
    names = [b"stays-%d" % number for number in range(5)]
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        with storm(box):
            reported = reported_within(client, 1.0)
            for name in names:
                (box / name.decode()).touch()
                reported += until(client, (EventCode.CREATED, name))
    counted = Counter(
        event.path for event in reported if event.code == EventCode.CREATED
    )
    assert [counted[name] for name in names] == [1] * len(names)


def test_a_busy_file_watched_alone_and_in_a_directory_is_reported_once_a_second(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        number = client.watch_file(box / "log")
        until(client, (EventCode.END_EXIST, bytes(box / "log")))
        with appending(box / "log", 10):
            reported_within(client, 1.5)
            reported = Counter(event.number for event in reported_within(client, 3))
    assert set(reported) == {number, number - 1}
    assert all(count <= 4 for count in reported.values())


def test_thirty_five_short_files_a_second_give_few_events(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path) as served, served.client() as client:
        watched(client, box)
        with coming_and_going(box, 35):
            assert len(reported_within(client, 3)) <= 3 * 13


def test_what_has_become_calm_is_still_followed(
    session: str, tmp_path: Path, box: Path
) -> None:
    with daemon(session, tmp_path, rules=QUICK) as served, served.client() as client:
        watched(client, box)
        with appending(box / "log", RATE):
            reported_within(client, 1)
        while client.next_event(1.5):
            pass
        with (box / "log").open("a") as log:
            log.write("x")
        until(client, (EventCode.CHANGED, b"log"))


def test_no_change_is_lost_when_the_backend_changes(
    session: str, tmp_path: Path, box: Path
) -> None:
    """Bursts that make the directory hot, pauses that let it cool down, and files that
    come and go at any moment: what the client believes is what is there."""
    dice = random.Random(7)
    believed = {b"log"}
    with daemon(session, tmp_path, rules=QUICK) as served, served.client() as client:
        watched(client, box)
        for turn in range(8):
            _burst(box, dice, turn)
            _believe(believed, reported_within(client, dice.choice([0, 0.1, 0.3, 1.2])))
        (box / "end").touch()
        while b"end" not in believed:
            _believe(believed, reported_within(client, 0.1))
        _believe(believed, reported_within(client, 1.5))
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
