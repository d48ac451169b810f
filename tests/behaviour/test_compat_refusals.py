"""Watches that the server refuses, or that no server can be had for: what programs on
watchdog and watchfiles see.

They run on the library's own engine, with one warning for all of them, which names the
line of the program. Other watches of the program stay with the server.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testkit.fuse import FuseMount, bindfs, can_bindfs
from testkit.server_state import status
from testkit.taken_places import taken_place
from testkit.waiting import eventually
from testkit.watches import kill_server, serving

pytest.importorskip("watchdog")
pytest.importorskip("watchfiles")

import watchfiles.main
from watchdog.events import FileCreatedEvent
from watchfiles import Change

from gamin.compat import fallback
from gamin.compat.observer import GaminObserver
from gamin.compat.rust_notify import make_engine
from testkit.observers import Recorder, ending, observing, uses_own_engine

NEEDS_FUSE = pytest.mark.skipif(
    not can_bindfs(), reason="needs FUSE and the right to mount"
)
REMEMBERED = "attr_timeout=600", "entry_timeout=600"
"""Options of a mount with which the kernel answers for it, save for its listings. So
inotify can watch a directory on it though it does not answer."""

STILL_SECONDS = 40.0
"""Seconds after which a mount goes on in any case."""

WATCHES = """
import sys, gamin.compat
gamin.compat.install("watchfiles")
from watchfiles import watch
next(watch(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def server(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(fallback, "_warned", set())
    own = vars(watchfiles.main)["RustNotify"]
    monkeypatch.setattr(watchfiles.main, "RustNotify", make_engine(own))
    with serving(session):
        yield


@pytest.fixture
def one_subscription(tmp_path: Path) -> None:
    limit_subscriptions(tmp_path)


def limit_subscriptions(home: Path) -> None:
    """A server that starts lets each client have one subscription."""
    (home / ".gaminrc").write_text("limit subscriptions 1\n")


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    return folders


@contextmanager
def one_warning(about: str) -> Iterator[None]:
    """What happens in the block causes one warning, of a line of this file."""
    with pytest.warns(RuntimeWarning, match=about) as warned:
        yield
    assert [each.filename for each in warned] == [__file__]


@contextmanager
def standing_still(folder: Path) -> Iterator[FuseMount]:
    """A mount that answers nothing but what the kernel remembers."""
    with bindfs(folder, "sshfs", *REMEMBERED) as mounted:
        mounted.point.stat()
        mounted.stop()
        # A process that hangs in the kernel gets no signal, as that of a time-out.
        rescue = threading.Timer(STILL_SECONDS, mounted.go_on)
        rescue.start()
        try:
            yield mounted
        finally:
            rescue.cancel()
            mounted.go_on()


def report_new_files(recorder: Recorder, folders: list[Path]) -> None:
    """Make a file in each, and return when the observer has reported them."""
    for folder in folders:
        (folder / "new").touch()
    recorder.until(*(FileCreatedEvent(str(folder / "new")) for folder in folders))


def yield_new_files(*paths: Path) -> None:
    """Watch the paths with watchfiles until it yields a new file in each."""
    watching = watchfiles.main.watch(*paths, yield_on_timeout=True, rust_timeout=100)
    next(watching)
    wanted = {(Change.added, str(path / "new")) for path in paths}
    for _, path in wanted:
        Path(path).write_text("new")
    found: set[tuple[Change, str]] = set()

    def are_reported() -> bool:
        found.update(next(watching))
        return wanted <= found

    eventually(are_reported, what=f"{wanted}")
    watching.close()


@pytest.mark.usefixtures("one_subscription")
def test_watches_that_the_server_refuses_use_inotify_beside_those_that_it_has(
    folders: list[Path],
) -> None:
    recorder = Recorder()
    with observing() as observer:
        with one_warning("subscriptions"):
            for folder in folders:
                observer.schedule(recorder, str(folder))
        assert uses_own_engine(observer) == [False, True, True]
        report_new_files(recorder, folders)


@pytest.mark.usefixtures("one_subscription")
def test_watches_that_the_server_refuses_use_the_library_s_engine(
    folders: list[Path],
) -> None:
    with one_warning("subscriptions"):
        yield_new_files(*folders)
        for folder in folders:
            (folder / "new").unlink()
        yield_new_files(*folders)


def test_watches_that_another_server_refuses_go_on_by_inotify(
    folders: list[Path], tmp_path: Path
) -> None:
    recorder = Recorder()
    with observing() as observer:
        for folder in folders:
            observer.schedule(recorder, str(folder))
        assert uses_own_engine(observer) == [False] * 3
        limit_subscriptions(tmp_path)
        with one_warning("subscriptions"):
            kill_server()
            eventually(lambda: uses_own_engine(observer) == [True] * 3)
        report_new_files(recorder, folders)


def test_watches_that_another_server_refuses_go_on_by_the_library_s_engine(
    folders: list[Path], tmp_path: Path
) -> None:
    engine = vars(watchfiles.main)["RustNotify"]([str(each) for each in folders])
    limit_subscriptions(tmp_path)

    def has_own_engine() -> bool:
        assert engine.watch(1, 1, 50, None) == "timeout"
        return vars(engine)["_own"] is not None

    with one_warning("subscriptions"):
        kill_server()
        eventually(has_own_engine)
    for folder in folders:
        (folder / "new").touch()
    wanted = {(int(Change.added), str(folder / "new")) for folder in folders}
    found: set[tuple[int, str]] = set()

    def are_reported() -> bool:
        found.update(engine.watch(50, 50, 1_000, None))
        return wanted <= found

    eventually(are_reported, what=f"{wanted}")
    engine.close()


def test_where_others_hold_the_place_for_sockets_observers_use_inotify(
    folders: list[Path], tmp_path: Path
) -> None:
    recorder = Recorder()
    with taken_place(tmp_path / "taken"), ending(GaminObserver()) as observer:
        for folder in folders:
            observer.schedule(recorder, str(folder))
        with one_warning("cannot use"):
            observer.start()
        assert uses_own_engine(observer) == [True] * 3
        report_new_files(recorder, folders)


def test_where_others_hold_the_place_for_sockets_watchfiles_uses_its_engine(
    folders: list[Path], tmp_path: Path
) -> None:
    with taken_place(tmp_path / "taken"), one_warning("cannot use"):
        for folder in folders:
            yield_new_files(folder)


@NEEDS_FUSE
def test_on_a_mount_that_does_not_answer_observers_use_inotify(
    folders: list[Path], tmp_path: Path
) -> None:
    recorder = Recorder()
    with (
        observing() as observer,
        observing() as other,
        standing_still(tmp_path / "mount") as mounted,
    ):
        with one_warning("does not answer"):
            observer.schedule(recorder, str(mounted.point))
        other.schedule(recorder, str(folders[0]))
        assert uses_own_engine(observer) == [True]
        assert uses_own_engine(other) == [False]
        report_new_files(recorder, [folders[0]])
        mounted.go_on()
        report_new_files(recorder, [mounted.point])


@NEEDS_FUSE
def test_watchfiles_waits_for_a_mount_and_can_be_interrupted(
    tmp_path: Path, folders: list[Path]
) -> None:
    """Its own engine hangs in the kernel then, and Ctrl-C does not end that."""
    yield_new_files(folders[0])  # so the server runs
    with standing_still(tmp_path / "mount") as mounted:
        command = [sys.executable, "-c", WATCHES, str(mounted.point)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            eventually(lambda: status().stalled, what="a stalled mount")
            process.send_signal(signal.SIGINT)
            _, printed = process.communicate(timeout=30)
        finally:
            process.kill()
        assert "KeyboardInterrupt" in printed
        mounted.go_on()
        yield_new_files(mounted.point)
