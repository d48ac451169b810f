"""The memory of a client that leaves is free without the garbage collector."""

import gc
import json
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.backends.polling import PollingBackend
from gamin.config.flow_settings import FlowSettings
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.gam import GamSession
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.language import Watchman
from gamin.daemon.sessions.watchman.session import WatchmanSession
from gamin.system.peercred import Peer
from testkit.daemon import packet
from testkit.doubles.engine import plain_policy
from testkit.waiting import eventually

FILE = 1
References = list["weakref.ref[Any]"]


class Host:
    log_path = None
    watchman_path = b""
    watcher_name = "polling"

    def status(self) -> dict[str, object]:
        return {}

    def dump(self) -> str:
        return ""

    def stop(self) -> None: ...

    def check_idle(self) -> None: ...

    def set_log_level(self, level: int | None) -> None: ...


class Home:
    """Sessions of both languages in this process, on the real loop."""

    def __init__(self) -> None:
        self.loop = Loop()
        monitor = Monitor(plain_policy(), FlowSettings())
        self.service = Service(monitor, self.loop, lambda _: None, b"/")
        polling = PollingBackend()
        drive = Drive(monitor, None, polling, self.service, self.loop)
        self.service.drive = drive
        self.watchman = Watchman(self.service, Host(), int(time.time()))

    def connect(
        self, make: Callable[[int, Connection], GamSession | WatchmanSession]
    ) -> tuple[socket.socket, References]:
        """The client's socket, and weak references to its objects in this process."""
        ours, theirs = socket.socketpair()
        connection = Connection(ours, Peer(1, 2, 3), self.loop, self._lost)
        session = make(1, connection)
        self.service.join(session)
        connection.read(True)
        return theirs, [weakref.ref(connection), weakref.ref(session)]

    def _lost(self, connection: Connection) -> None:
        for session in list(self.service.sessions):
            if isinstance(session, GamSession | WatchmanSession):
                self.service.part(session)

    def run(self) -> None:
        for _ in range(50):
            self.loop.run_once(0)

    def are_gone(self, references: References) -> bool:
        """Whether they are, when what is still under way has been done."""
        self.run()
        return all(reference() is None for reference in references)


@pytest.fixture
def home() -> Iterator[Home]:
    home = Home()
    gc.collect()
    gc.disable()
    yield home
    gc.enable()
    home.service.drive.close()
    home.loop.close()


def test_a_client_of_gamin_s_language_is_gone(home: Home, tmp_path: Path) -> None:
    monitor = home.service.monitor
    theirs, here = home.connect(lambda n, c: GamSession(n, c, home.service))
    with theirs:
        theirs.sendall(
            b"\0" + packet(1, FILE, tmp_path) + packet(2, FILE, b"/nowhere/at/all")
        )
        home.run()
        assert len(monitor.subscriptions) == 2
    home.run()
    assert not monitor.subscriptions
    eventually(lambda: home.are_gone(here))
    all_there_are = [one for one in gc.get_objects() if isinstance(one, Subscription)]
    assert not [one for one in all_there_are if isinstance(one.client, GamSession)]


def test_a_client_of_watchman_s_language_is_gone(home: Home, tmp_path: Path) -> None:
    theirs, here = home.connect(home.watchman.session)
    with theirs:
        options = {"watch": True, "fields": ["name"]}
        request = json.dumps(["subscribe", str(tmp_path), "x", options]).encode()
        theirs.sendall(request + b"\n")
        home.run()
        assert b"subscribe" in theirs.recv(1 << 16)
        theirs.sendall(b"[" * 100_000)
        home.run()
        assert home.service.accounts.held_bytes == 100_000
    home.run()
    assert home.service.accounts.held_bytes == 0
    eventually(lambda: home.are_gone(here))


def test_a_client_that_leaves_during_its_query_is_gone(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gamin.daemon.sessions.watchman.session.SLICE_SECONDS", -1.0)
    (tmp_path / "file").touch()
    theirs, here = home.connect(home.watchman.session)
    with theirs:
        theirs.sendall(json.dumps(["watch", str(tmp_path)]).encode() + b"\n")
        home.run()
        assert b"watch" in theirs.recv(1 << 16)
        theirs.sendall(json.dumps(["query", str(tmp_path), {}]).encode() + b"\n")
        home.loop.run_once(1)
        session = here[1]()
        assert isinstance(session, WatchmanSession)
        assert session.usage.requests == 1
        del session
    eventually(lambda: home.are_gone(here))
