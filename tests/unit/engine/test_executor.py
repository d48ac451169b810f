"""Nothing that was read ahead waits for something else to happen."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gamin.backends.inotify import InotifyBackend
from gamin.backends.polling import PollingBackend
from gamin.config.mounts import Mounts
from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Listing, Trace
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop
from gamin.engine.executor import Watcher
from gamin.events import Change
from gamin.system import inotify
from gamin.system.inotify import BUFFER, Reader

PATIENCE = 20.0
MORE_THAN_A_PIECE = BUFFER // 32 + 100


class Told:
    """Everything that is told, by name; makes files when it hears of a certain one."""

    def __init__(self) -> None:
        self.names: set[bytes] = set()
        self.wanted = b""
        self.then: list[Path] = []

    def tell(self, effect: Deliver) -> None:
        heard = {os.path.basename(row.path) for row in effect.rows}
        self.names |= heard
        if self.wanted in heard:
            self.wanted = b""
            for path in self.then:
                path.touch()

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

    def listed(self, listings: Sequence[Listing]) -> None: ...

    def flush(self) -> None: ...


class Watched:
    def __init__(self, root: Path) -> None:
        self.loop = Loop()
        self.told = Told()
        self.monitor = Monitor(Policy((), Mounts()))
        self.kernel = InotifyBackend()
        self.watcher = Watcher(
            self.monitor, self.kernel, PollingBackend(), self.told, self.loop
        )
        subscription = Subscription(1, 1, os.fsencode(root), Scope.TREE)
        self.watcher.do(self.monitor.subscribe(subscription, time.monotonic()))
        self.turn()
        self.monitor.rows_to_send(subscription)

    def lose(self) -> None:
        """As if the kernel had dropped all that is queued."""
        os.read(self.kernel.fileno(), BUFFER)
        self.monitor.recovery.on_overflow(time.monotonic())

    def names(self, folder: Path) -> set[bytes]:
        node = self.monitor.tree.find(os.fsencode(folder))
        assert node is not None
        return set(node.names)

    def turn(self) -> None:
        """What is due now, and what that makes due."""
        for _ in range(10):
            self.loop.run_once(0)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            self.loop.run_once(0.01)
        self.turn()

    def close(self) -> None:
        self.watcher.close()
        self.loop.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.close()


def test_what_happened_while_a_request_caught_up_is_told_without_more_ado(
    watched: Watched, tmp_path: Path
) -> None:
    for number in range(MORE_THAN_A_PIECE):
        os.mknod(tmp_path / f"{number}")
    fillers = [tmp_path / f"filler-{number}" for number in range(MORE_THAN_A_PIECE)]
    watched.told.wanted, watched.told.then = b"0", [*fillers, tmp_path / "late"]
    watched.watcher.synchronise()
    assert b"late" not in watched.told.names
    watched.turn()
    assert b"late" in watched.told.names


def test_so_is_what_happened_where_was_looked_already_after_an_overflow(
    watched: Watched, tmp_path: Path
) -> None:
    folders = [tmp_path / f"folder-{number}" for number in range(5)]
    for folder in folders:
        folder.mkdir()
    watched.turn()
    for folder in folders:
        os.mknod(folder / "new")
    watched.lose()
    watched.told.wanted = b"new"
    watched.told.then = [folder / "late" for folder in folders]
    watched.watcher.synchronise()
    watched.told.names.clear()  # of those where was looked later
    watched.turn()
    assert b"late" in watched.told.names


def test_what_came_behind_the_mark_of_an_overflow_is_no_more_complete_than_before(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The creation of a file has its place in the queue, and its deletion has not."""
    turns = [tmp_path / "turn", tmp_path / "and turn about"]
    for file in turns:
        file.touch()
    watched.turn()
    read, ghost, reads = Reader.read, tmp_path / "ghost", []

    def fill(events: int) -> None:
        for number in range(events):
            os.truncate(turns[number % 2], 0)

    def read_late(reader: Reader) -> bytes:
        piece = read(reader)
        reads.append(len(piece))
        if len(reads) == 2:  # there is room for so much again
            fill(MORE_THAN_A_PIECE)
            ghost.touch()
            fill(MORE_THAN_A_PIECE)
            ghost.unlink()
        return piece

    fill(inotify.limit("max_queued_events") + 1)
    monkeypatch.setattr(Reader, "read", read_late)
    watched.until(lambda: watched.monitor.recovery.rescans > 0)
    assert watched.monitor.recovery.overflows == 1
    assert watched.names(tmp_path) == {b"turn", b"and turn about"}


def drop_one(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next batch leads to an exception, and is not taken in."""
    drain = watched.kernel.drain

    def fail() -> Sequence[Change]:
        monkeypatch.setattr(watched.kernel, "drain", drain)
        drain()
        raise RuntimeError("a bug")

    monkeypatch.setattr(watched.kernel, "drain", fail)


def test_what_a_bug_makes_us_drop_is_found_and_the_next_is_heard_as_ever(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_one(watched, monkeypatch)
    (tmp_path / "dropped").touch()
    watched.until(lambda: b"dropped" in watched.told.names)
    (tmp_path / "next").touch()
    watched.until(lambda: b"next" in watched.told.names)


def test_so_is_what_a_bug_makes_us_drop_while_a_request_catches_up(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_one(watched, monkeypatch)
    for number in range(MORE_THAN_A_PIECE):
        os.mknod(tmp_path / f"{number}")
    with pytest.raises(RuntimeError):
        watched.watcher.synchronise()
    watched.until(lambda: len(watched.told.names) == MORE_THAN_A_PIECE)


def test_a_request_is_answered_when_what_was_lost_is_found(
    watched: Watched, tmp_path: Path
) -> None:
    os.mknod(tmp_path / "lost")
    watched.lose()
    watched.watcher.synchronise()
    assert watched.names(tmp_path) == {b"lost"}
