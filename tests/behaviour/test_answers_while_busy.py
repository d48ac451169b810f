"""A query is answered from what is on the disk, whatever the server defers or polls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.asker import Asker
from testkit.daemon import Daemon, daemon
from testkit.server_state import overflow, standing_still, status

ROUNDS = 400
OVERFLOWS = 5


@pytest.fixture
def served(session: str, tmp_path: Path) -> Iterator[Daemon]:
    with daemon(session, tmp_path / "home") as server:
        yield server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = (tmp_path / "root").resolve()
    (root / "folder").mkdir(parents=True)
    return root


def test_every_query_names_a_busy_file_that_was_written_just_before(
    served: Daemon, root: Path
) -> None:
    file = root / "folder/busy"
    file.touch()
    missed = []
    with Asker(served.watchman()) as asker:
        clock = asker.watch(root)
        for number in range(ROUNDS):
            file.write_text(f"{number:9}")
            names, clock = asker.since(root, clock)
            if "folder/busy" not in names:
                missed.append(number)
    assert not missed


def test_every_query_names_what_came_and_went_in_a_busy_directory(
    served: Daemon, root: Path
) -> None:
    missed = []
    (root / "folder/-1").touch()
    with Asker(served.watchman()) as asker:
        clock = asker.watch(root)
        for number in range(ROUNDS):
            (root / f"folder/{number}").touch()
            (root / f"folder/{number - 1}").unlink()
            names, clock = asker.since(root, clock)
            if not {f"folder/{number}", f"folder/{number - 1}"} <= names:
                missed.append(number)
    assert not missed


def test_every_query_names_what_an_overflow_has_lost(
    served: Daemon, root: Path, tmp_path: Path
) -> None:
    """The queue is filled while the server stands still, so it has no room for what
    happens next. (A shorter queue would be one for every other test, too.) Each time
    another directory fills it, because a busy one is polled."""
    missed = []
    with Asker(served.watchman()) as asker:
        clock = asker.watch(root)
        for number in range(OVERFLOWS):
            noise = (tmp_path / f"noise-{number}").resolve()
            noise.mkdir()
            asker.watch(noise)
            with standing_still(served.process.pid):
                overflow(noise)
                (root / f"folder/{number}").touch()
            names, clock = asker.since(root, clock)
            if f"folder/{number}" not in names:
                missed.append(number)
    assert not missed
    assert status(served.environ).recoveries.overflows == OVERFLOWS


def test_a_query_names_what_changed_below_a_path_that_is_polled(
    session: str, tmp_path: Path, root: Path
) -> None:
    (root / "folder/file").touch()
    rules = f"poll {root}/folder {root}/folder/*\n"
    with (
        daemon(session, tmp_path / "home", rules=rules) as served,
        Asker(served.watchman()) as asker,
    ):
        clock = asker.watch(root)
        for number in range(20):
            (root / "folder/file").write_text("new" * number)
            new = root / f"folder/new-{number}"
            new.mkdir()
            (new / "below").touch()
            names, clock = asker.since(root, clock)
            wanted = {"folder/file", f"folder/{new.name}", f"folder/{new.name}/below"}
            assert names >= wanted
