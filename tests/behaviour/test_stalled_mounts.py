"""FUSE mounts whose server stands still or dies, and everybody beside them."""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

import gamin
from gamin.client.connect import connect_watchman
from testkit.asker import Asker
from testkit.fuse import FuseMount, bindfs, can_bindfs
from testkit.programs import gamin as program
from testkit.server_state import descriptors, status
from testkit.waiting import eventually
from testkit.watches import created, signal_server, until

pytestmark = pytest.mark.skipif(
    not can_bindfs(), reason="needs FUSE and the right to mount"
)

LATEST = 30.0
"""Seconds in which everything that is to come has come, polling included."""

NO_ANSWER = "does not answer"


@pytest.fixture(autouse=True)
def started(own_server: None) -> None:
    """The server runs, so nobody needs the patience to start one."""
    with asker():
        pass


@pytest.fixture(params=["sshfs", "unlisted"])
def subtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A local directory of clients that have nothing to do with the mount."""
    place = tmp_path / "beside"
    place.mkdir()
    return place


def stalled_mounts() -> list[str]:
    return [each.mount for each in status().stalled]


@contextmanager
def standing_still(mounted: FuseMount) -> Iterator[None]:
    """The mount answers nothing in this block, which begins when that is known."""
    mounted.stop()
    try:
        (mounted.below / "late").touch()
        eventually(lambda: stalled_mounts() == [str(mounted.point)])
        yield
    finally:
        mounted.go_on()


def asker() -> Asker:
    """A connection. The server is started if there is none: beside many other tests
    that may take longer than a client's patience."""
    return Asker(connect_watchman(start=True, patience=LATEST))


def refusal(asking: Asker, *request: object) -> str:
    asking.write(*request)
    return str(asking.read().get("error"))


class Innocents:
    """A client of each language on a local directory; each gets what happens."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._watch = gamin.watch(place, timeout=LATEST)
        self._asker = asker()
        self._clock = self._asker.watch(place)
        self._old = gamin.WatchMonitor()
        self._events: list[tuple[str, int]] = []
        self._old.watch_directory(
            str(place), lambda path, event: self._events.append((path, event))
        )
        eventually(lambda: self._has_old(str(place), gamin.GAMEndExist))
        self._count = 0

    def _has_old(self, name: str, event: int) -> bool:
        self._old.handle_events()
        return (name, event) in self._events

    def hear(self) -> None:
        """Make a file; all three get it."""
        self._count += 1
        path = self.place / f"new {self._count}"
        path.touch()
        assert created(path) in until(self._watch, created(path))
        names, self._clock = self._asker.since(self.place, self._clock)
        assert names == {path.name}
        eventually(lambda: self._has_old(path.name, gamin.GAMCreated))

    def close(self) -> None:
        self._watch.close()
        self._asker.__exit__(None, None, None)
        self._old.disconnect()


@pytest.fixture
def innocents(beside: Path) -> Iterator[Innocents]:
    innocents = Innocents(beside)
    yield innocents
    innocents.close()


def test_a_mount_that_does_not_answer_stops_nobody(
    tmp_path: Path, innocents: Innocents, subtype: str
) -> None:
    with (
        bindfs(tmp_path, subtype) as mounted,
        gamin.watch(mounted.point, timeout=LATEST) as watch,
    ):
        with standing_still(mounted):
            innocents.hear()
            with gamin.watch(innocents.place, timeout=LATEST) as newcomer:
                path = innocents.place / "for the newcomer"
                path.touch()
                assert created(path) in until(newcomer, created(path))
        late = created(mounted.point / "late", recovered=True)
        assert late in until(watch, late)
        assert stalled_mounts() == []


def test_whoever_asks_about_a_silent_mount_gets_an_error(
    tmp_path: Path, beside: Path
) -> None:
    with bindfs(tmp_path, "sshfs") as mounted, asker() as asking:
        (mounted.below / "inner").mkdir()
        asking.watch(mounted.point)
        query = ("query", str(mounted.point), {"fields": ["name", "size"]})
        assert "error" not in asking.ask(*query)
        mounted.stop()
        try:
            assert NO_ANSWER in refusal(asking, *query)
            inner = str(mounted.point / "inner")
            assert NO_ANSWER in refusal(asking, "watch-project", inner)
            assert asking.watch(beside)
        finally:
            mounted.go_on()
        eventually(lambda: refusal(asking, *query) == "None", what="an answer")


def has_open(pid: int, path: Path) -> bool:
    """Whether the process has the file open."""
    return str(path) in descriptors(pid).values()


def test_whoever_waits_for_hashes_of_a_mount_that_falls_silent_gets_an_error(
    tmp_path: Path, beside: Path
) -> None:
    with bindfs(tmp_path, "sshfs") as mounted, asker() as asking:
        with (mounted.below / "large").open("wb") as file:
            file.truncate(1 << 35)  # it takes a minute to read
        asking.watch(mounted.point)
        query = ("query", str(mounted.point), {"fields": ["name", "content.sha1hex"]})
        asking.write(*query)
        pid = status().pid
        eventually(lambda: has_open(pid, mounted.point / "large"), what="a hash")
        mounted.stop()
        try:
            assert NO_ANSWER in str(asking.read().get("error"))
            assert asking.watch(beside)
        finally:
            mounted.go_on()


def test_old_programs_that_ask_for_a_silent_mount_wait_alone(
    tmp_path: Path, innocents: Innocents
) -> None:
    events: list[tuple[str, int]] = []
    with bindfs(tmp_path, "sshfs") as mounted:
        mounted.stop()
        waiting = gamin.WatchMonitor()
        try:
            waiting.watch_directory(
                str(mounted.point), lambda path, event: events.append((path, event))
            )
            innocents.hear()
            assert not events
        finally:
            mounted.go_on()

        def has_listed() -> bool:
            waiting.handle_events()
            return (str(mounted.point), gamin.GAMEndExist) in events

        eventually(has_listed)
        waiting.disconnect()


def test_ignore_files_and_sizes_on_a_silent_mount_hold_nobody(
    tmp_path: Path, innocents: Innocents
) -> None:
    with bindfs(tmp_path, "unlisted") as mounted:
        (mounted.below / ".git").mkdir()
        (mounted.below / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (mounted.below / ".gitignore").write_text("*.o\n")
        with (
            gamin.watch(mounted.point, timeout=LATEST, vcs_ignore=True) as watch,
            asker() as asking,
        ):
            asking.watch(mounted.point)
            fields = {"fields": ["name", "size"]}
            asking.ask("subscribe", str(mounted.point), "mine", fields)
            every_name = (str(mounted.point), {"fields": ["name"]})
            with standing_still(mounted):
                (mounted.below / ".gitignore").write_text("*.tmp\n")
                innocents.hear()
            late = created(mounted.point / "late", recovered=True)
            assert late in until(watch, late)
            eventually(lambda: refusal(asking, "query", *every_name) == "None")
            numbers = count()

            def are_new_rules_followed() -> bool:
                # The ignore file is read by a thread, after what was lost is reported.
                number = next(numbers)
                for name in (f"{number}.tmp", f"{number}.mark"):
                    (mounted.below / name).touch()
                events = until(watch, created(mounted.point / f"{number}.mark"))
                return created(mounted.point / f"{number}.tmp") not in events

            eventually(are_new_rules_followed)
            (mounted.below / "c.o").touch()
            until(watch, created(mounted.point / "c.o"))


@pytest.mark.parametrize("way", ["command", "signal"])
def test_a_server_ends_while_a_mount_does_not_answer(tmp_path: Path, way: str) -> None:
    with bindfs(tmp_path, "sshfs") as mounted, gamin.watch(mounted.point):
        before = status().pid
        with standing_still(mounted):
            if way == "command":
                ended = program("stop", session=os.environ["GAM_CLIENT_ID"])
                assert ended.returncode == 0, ended.stderr
            else:
                signal_server(signal.SIGTERM, ends=True)
            with asker() as asking:
                assert asking.ask("get-pid")["pid"] != before


def test_a_mount_whose_server_dies_deletes_nothing(
    tmp_path: Path, innocents: Innocents
) -> None:
    with (
        bindfs(tmp_path, "sshfs") as mounted,
        gamin.watch(mounted.point, timeout=LATEST) as watch,
    ):
        (mounted.point / "file").touch()
        file = created(mounted.point / "file")
        assert file in until(watch, file)
        mounted.die()
        eventually(lambda: stalled_mounts() == [str(mounted.point)])
        [stalled] = status().stalled
        assert stalled.reason == os.strerror(errno.ENOTCONN)
        innocents.hear()
        with asker() as asking:
            said = refusal(asking, "watch", str(mounted.point))
            assert os.strerror(errno.ENOTCONN) in said


def test_doctor_names_a_mount_that_does_not_answer(tmp_path: Path) -> None:
    with (
        bindfs(tmp_path, "sshfs") as mounted,
        gamin.watch(mounted.point),
        standing_still(mounted),
    ):
        said = program("doctor", session=os.environ["GAM_CLIENT_ID"])
        assert f"{mounted.point} (fuse.sshfs) {NO_ANSWER}" in said.stdout
