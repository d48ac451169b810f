"""The real daemon for tests: a process with all its files in one folder.

The tests send requests, and know what it should do.
"""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gamin.client.blocking import Client
from gamin.client.connect import connect_gam, connect_watchman
from gamin.client.locate import ServerUnresponsive
from gamin.errors import GaminError
from gamin.protocol.gam.client import Event
from gamin.protocol.gam.packets import EventCode, Packet
from testkit.forked_servers import ForkedServer, are_in_use
from testkit.waiting import eventually

PROGRAM = Path(sys.executable).with_name("gam_server")


@dataclass(frozen=True, slots=True)
class Daemon:
    process: subprocess.Popen[bytes] | ForkedServer
    session: str
    folder: Path
    """Its HOME, and where its sockets are."""

    @property
    def environ(self) -> dict[str, str]:
        return {"GAMIN_SOCKET_DIR": str(self.folder), "GAM_CLIENT_ID": self.session}

    def connect(self) -> socket.socket:
        """A libgamin connection after both hellos."""
        return connect_gam(start=False, environ=self.environ)

    def client(self) -> Client:
        return Client(self.connect)

    def watchman(self) -> socket.socket:
        return connect_watchman(start=False, environ=self.environ)

    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    def sockets(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_socket()]

    def wakeups(self) -> int:
        """How often it has woken up so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        [line] = [each for each in status if each.startswith("voluntary_ctxt")]
        return int(line.split()[1])

    def ticks(self) -> int:
        """CPU used so far, in hundredths of a second."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return int(user) + int(system)


@contextmanager
def daemon(
    session: str,
    folder: Path,
    *options: str,
    rules: str = "",
    prefix: Sequence[str] = (),
    stderr: int | None = None,
    is_program: bool = False,
) -> Iterator[Daemon]:
    """A running server, which ends with the block at the latest.

    It is the installed program where `prefix`, `stderr` or `is_program` says how it
    starts; else it is forked, which takes a tenth of the time.
    """
    folder.mkdir(exist_ok=True)
    (folder / ".gaminrc").write_text(rules)
    places = {
        "GAM_CLIENT_ID": session,
        "GAMIN_SOCKET_DIR": str(folder),
        "HOME": str(folder),
    }
    process: subprocess.Popen[bytes] | ForkedServer
    with (folder / "log").open("wb") as log:
        if prefix or stderr is not None or is_program or not are_in_use():
            process = subprocess.Popen(
                [*prefix, str(PROGRAM), *options],
                env=os.environ | places,
                stdin=subprocess.DEVNULL,
                stderr=log if stderr is None else stderr,
            )
        else:
            process = ForkedServer(options, os.environ | places, log=log.name)
    with process:
        served = Daemon(process, session, folder)
        try:
            eventually(lambda: _answers(served), what="the daemon listening")
            yield served
        finally:
            process.terminate()


def _answers(served: Daemon) -> bool:
    assert served.process.poll() is None, served.log()
    try:
        served.connect().close()
        served.watchman().close()
    except (OSError, GaminError):
        return False
    return True


def packet(number: int, kind: int, path: bytes | Path = b"") -> bytes:
    return Packet(number, kind, bytes(path)).encode()


def is_hung_up(connected: socket.socket, within: float = 10.0) -> bool:
    """Whether the server ends the connection in time; bytes before that are dropped."""
    connected.settimeout(within)
    try:
        while connected.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


def nothing_comes(connected: socket.socket | Client, seconds: float) -> bool:
    """Whether no byte arrives for so long; the one place where time must pass."""
    return not select.select([connected], [], [], seconds)[0]


def until(client: Client, *wanted: tuple[EventCode, bytes]) -> list[Event]:
    """Events up to the one that completes `wanted`."""
    left = set(wanted)
    received: list[Event] = []
    while left:
        event = client.next_event(10)
        assert event is not None, f"{left} did not come; received: {received}"
        received.append(event)
        left.discard((EventCode(event.code), event.path))
    return received


def watched(client: Client, path: Path) -> int:
    """Request a directory; return the number when its listing is complete."""
    number = client.watch_directory(path)
    until(client, (EventCode.END_EXIST, bytes(path)))
    return number


def _served_client(served: Daemon) -> Client | None:
    """A client; None where the server does not answer in a client's patience, as on a
    machine that is busy with much else."""
    try:
        return served.client()
    except ServerUnresponsive:
        return None


def works(served: Daemon, place: Path) -> bool:
    """Whether another client is served, from its listing to a creation."""
    with eventually(lambda: _served_client(served), what="another client") as client:
        place.mkdir(exist_ok=True)
        watched(client, place)
        (place / "new").touch()
        until(client, (EventCode.CREATED, b"new"))
        (place / "new").unlink()
        until(client, (EventCode.DELETED, b"new"))
    return True
