"""A server sleeps while nothing happens."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.protocol.gam.packets import EventCode
from testkit.daemon import daemon, nothing_comes, until, watched

WINDOW = 1.0
TRIES = 15


@pytest.fixture
def quiet() -> Iterator[Path]:
    """Names made and removed in a directory above do wake a server, and where other
    tests have their files this never ends. Here next to nobody has any."""
    with tempfile.TemporaryDirectory(prefix="gamin-test-", dir="/var/tmp") as place:
        yield Path(place)


def test_an_idle_server_never_wakes_up(session: str, quiet: Path) -> None:
    """One of several spans must be without a wake-up: the machine may be shared."""
    with daemon(session, quiet) as served, served.client() as client:
        places = [quiet / "box" / str(number) for number in range(1000)]
        for place in places:
            place.mkdir(parents=True)
            client.watch_directory(place)
        client.watch_directory(quiet / "box")
        places.append(quiet / "box")
        until(client, *((EventCode.END_EXIST, bytes(place)) for place in places))
        for _ in range(TRIES):
            before, spent = served.wakeups(), served.ticks()
            assert nothing_comes(client, WINDOW)
            if served.wakeups() == before:
                assert served.ticks() == spent
                return
        raise AssertionError("it woke up in each of the windows")


def test_a_server_sleeps_again_after_a_busy_file_has_become_calm(
    session: str, quiet: Path
) -> None:
    rules = "flow calm_seconds 0.2\nflow report_interval 0.1\n"
    (quiet / "box").mkdir()
    with daemon(session, quiet, rules=rules) as served, served.client() as client:
        watched(client, quiet / "box")
        for _ in range(2000):
            (quiet / "box" / "file").write_text("x")
        for _ in range(TRIES):
            while client.next_event(0.5):
                pass
            before = served.wakeups()
            assert nothing_comes(client, WINDOW / 2)
            if served.wakeups() == before:
                return
        raise AssertionError("it woke up in each of the windows")
