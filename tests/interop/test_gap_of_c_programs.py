"""C programs over the real libgamin receive what happened while no server was there."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.protocol.gam.packets import EventCode
from gamin.state.client_store import ClientStore
from gamin.state.place import Place
from gamin.state.store import Store
from gamin.system.process_identity import identity_of
from testkit.original import require_original
from testkit.programs import COMMAND
from testkit.required import compiler_for_libfam
from testkit.servers import OUR_SERVER, environment, serving_pid
from testkit.waiting import eventually
from testkit.watches import aged

SOURCE = Path(__file__).with_name("gap_watch.c")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-O1")

Received = tuple[str, int, str]
"""What happened, the number of the request, and to what."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_original()
    made = tmp_path_factory.mktemp("program") / "gap_watch"
    compiler = compiler_for_libfam()
    subprocess.run([compiler, *WARNINGS, SOURCE, "-o", made, "-lfam"], check=True)
    return made


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    for name in ("changed", "gone", "kept", "replaced"):
        (box / name).touch()
    aged(*box.iterdir())
    return box


class Sessions:
    """The environment of a program and its servers, which remember."""

    def __init__(self, session: str, place: Path) -> None:
        self.session = session
        self.environ = environment() | {
            "GAM_CLIENT_ID": session,
            "GAMIN_DEBUG_SERVER": str(OUR_SERVER),
            "XDG_STATE_HOME": str(place),
        }
        self.environ.pop("GAMIN_STATE", None)
        self._store = Place(bytes(place / "gamin"), session.encode(), os.getuid())

    def is_saved(self, pid: int, count: int) -> bool:
        """Whether so many requests of a process are saved."""
        store = ClientStore(Store(self._store))
        return any(len(c.asked) == count for c in store.of_process(identity_of(pid)))

    def end(self, how: signal.Signals) -> None:
        pid = serving_pid(self.session)
        assert pid is not None
        process = os.pidfd_open(pid)
        try:
            if how is signal.SIGTERM:
                stop = [*COMMAND, "stop"]
                subprocess.run(stop, env=self.environ, check=True, capture_output=True)
            else:
                os.kill(pid, how)
            eventually(lambda: not _is_there(pid), what="the end of the server")
        finally:
            os.close(process)


def _is_there(pid: int) -> bool:
    return bool(identity_of(pid))


@pytest.fixture
def sessions(session: str, tmp_path: Path) -> Iterator[Sessions]:
    yield Sessions(session, tmp_path / "state")
    if pid := serving_pid(session):
        os.kill(pid, signal.SIGTERM)


class Running:
    def __init__(self, process: "subprocess.Popen[str]", count: int) -> None:
        self.process = process
        self._count = count

    def next(self) -> Received:
        assert self.process.stdout is not None
        code, number, name = self.process.stdout.readline().rstrip("\n").split("\t")
        return EventCode(int(code)).name, int(number), name

    def without_server(
        self, sessions: Sessions, how: signal.Signals, meanwhile: Callable[[], None]
    ) -> None:
        """The program stands still while there is no server."""
        pid = self.process.pid
        if how is signal.SIGKILL:
            eventually(lambda: sessions.is_saved(pid, self._count), what="a save")
        self.process.send_signal(signal.SIGSTOP)
        sessions.end(how)
        meanwhile()
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def running(program: Path, sessions: Sessions, *words: str | Path) -> Iterator[Running]:
    """The program, when it has all listings."""
    with subprocess.Popen(
        [program, *words], env=sessions.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            made = Running(process, sum(word in ("-d", "-f") for word in words))
            ends = 0 if "-n" in words else made._count
            while ends:
                ends -= made.next()[0] == "END_EXIST"
            yield made
        finally:
            process.kill()


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"]
)
def test_what_was_made_changed_and_removed_without_a_server_is_reported(
    program: Path, sessions: Sessions, box: Path, how: signal.Signals
) -> None:
    def meanwhile() -> None:
        (box / "changed").write_text("x")
        (box / "gone").unlink()
        (box / "new").touch()
        (box / "replaced").unlink()
        (box / "replaced").mkdir()

    words: list[str | Path] = [
        "-d",
        box,
        "-f",
        box / "changed",
        "-f",
        box / "gone",
        "-f",
        box / "new",
    ]
    with running(program, sessions, *words) as watch:
        watch.without_server(sessions, how, meanwhile)
        events = {watch.next() for _ in range(8)}
        assert events == {
            ("DELETED", 1, "gone"),
            ("DELETED", 1, "replaced"),
            ("CREATED", 1, "replaced"),
            ("CREATED", 1, "new"),
            ("CHANGED", 1, "changed"),
            ("CHANGED", 2, f"{box}/changed"),
            ("DELETED", 3, f"{box}/gone"),
            ("CREATED", 4, f"{box}/new"),
        }
        # And all requests live on; the first event would be a deletion that libgamin
        # drops, had it received no EndExist.
        (box / "kept").unlink()
        assert watch.next() == ("DELETED", 1, "kept")


def test_a_directory_that_is_another_one_now_is_reported_anew(
    program: Path, sessions: Sessions, box: Path
) -> None:
    def meanwhile() -> None:
        box.rename(box.with_name("old"))
        box.mkdir()
        (box / "in").touch()

    with running(program, sessions, "-d", box) as watch:
        watch.without_server(sessions, signal.SIGTERM, meanwhile)
        assert [watch.next() for _ in range(3)] == [
            ("DELETED", 1, str(box)),
            ("CREATED", 1, str(box)),
            ("CREATED", 1, "in"),
        ]


def test_a_program_that_asks_for_the_first_time_receives_nothing_old(
    program: Path, sessions: Sessions, box: Path
) -> None:
    """Though another program watched the same directory as its first request, and the
    listing is not wanted, as after the loss of a server."""
    with running(program, sessions, "-d", box) as watch:
        watch.process.send_signal(signal.SIGSTOP)
        sessions.end(signal.SIGTERM)
        (box / "new").touch()
        with running(program, sessions, "-n", "-d", box) as other:
            names = iter(range(1000))

            def is_served() -> bool:
                (box / f"later-{next(names)}").touch()
                return sessions_serve(sessions)

            eventually(is_served, what="the next server")
            (box / "kept").unlink()
            event, number, name = other.next()
            assert (event, number) in (("CREATED", 1), ("DELETED", 1))
            assert name.startswith("later-") or name == "kept"


def sessions_serve(sessions: Sessions) -> bool:
    return serving_pid(sessions.session) is not None
