"""The ways in which a scenario is played: whose client, whose server, how it watches.

What a scenario is, and how it is played, is decided elsewhere.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gamin.client.blocking import Client
from gamin.client.connect import connect_gam
from testkit.original import SERVER
from testkit.scenario.commands import Scenario
from testkit.scenario.disk import Disk
from testkit.scenario.drivers import Connection, WireDriver
from testkit.scenario.libgamin import Libgamin
from testkit.scenario.playing import Play
from testkit.servers import OUR_SERVER, Server, environment, running_server

PLACE = "/tmp"  # as people use it; the original does not ask the kernel below /dev
ROUNDS_OF_POLLING = 3
"""Changes of its own that a barrier waits for where directories are polled.

The first may be found in a round that began before another directory was watched, the
second early in the round that polls that directory, and the third only when that round
has ended.
"""


@dataclass(frozen=True, slots=True)
class Way:
    name: str
    command: tuple[str, ...]
    connect: Callable[[Server], Connection]
    traits: frozenset[str] = frozenset()
    """What `[…]` in a scenario may say of it."""
    rounds: int = 1
    patience: float = 0.0
    """Seconds that right events may still take after the barrier."""
    leisurely: bool = False
    """True where most of the time is spent waiting for the server's next look."""
    fresh_server: bool = False
    """True where one scenario's events would change another's timing."""


def _ours(server: Server) -> Client:
    environ = {**environment(), "GAMIN_MOUNTS": "any"}
    session = server.session
    return Client(lambda: connect_gam(start=False, session=session, environ=environ))


def _libgamin(server: Server) -> Libgamin:
    return Libgamin(server.session, server.program)


DAEMON = Way("daemon", (str(OUR_SERVER), "--notimeout"), _ours)
LIBGAMIN = Way("libgamin", (str(OUR_SERVER), "--notimeout"), _libgamin)
POLLING = Way(
    "polling",
    (str(OUR_SERVER), "--notimeout", "--pollonly"),
    _ours,
    frozenset({"polling"}),
    rounds=ROUNDS_OF_POLLING,
    leisurely=True,
)
ORIGINAL = Way(
    "original",
    (str(SERVER), "--notimeout"),
    _ours,
    frozenset({"original"}),
    # It looks for what it cannot watch every 4 s and sends what it found 1.1 s later.
    patience=6.0,
    leisurely=True,
    fresh_server=True,
)


class Stage:
    """Servers for scenarios, one for all of a way where that makes no difference."""

    def __init__(self) -> None:
        self._shared: dict[str, Server] = {}
        self._running = ExitStack()

    def open(self, ways: list[Way]) -> None:
        home = self._running.enter_context(tempfile.TemporaryDirectory())
        for way in ways:
            if not way.fresh_server:
                server = running_server(way.command, home=home)
                self._shared[way.name] = self._running.enter_context(server)

    def close(self) -> None:
        self._running.close()

    @contextmanager
    def _server(self, scenario: Scenario, way: Way, home: str) -> Iterator[Server]:
        plain = not scenario.gaminrc and not scenario.needs_mounts
        if plain and not way.fresh_server:
            yield self._shared[way.name]
        else:
            with running_server(
                way.command, home=home, own_mounts=scenario.needs_mounts
            ) as server:
                yield server

    def play(self, scenario: Scenario, way: Way) -> None:
        """Raises AssertionError where the events are not those that are expected."""
        # Not the directory of the test runner: with a server that shows up late, its
        # name would be among the events of the next test.
        root = tempfile.mkdtemp(prefix="scenario-", dir=PLACE)
        with ExitStack() as end:
            end.callback(shutil.rmtree, root)
            Path(root, ".gaminrc").write_text("\n".join([*scenario.gaminrc, ""]))
            server = end.enter_context(self._server(scenario, way, root))
            where = os.fsencode(root)
            disk = Disk(where, inside=server.pid if server.own_mounts else None)
            end.callback(disk.restore)
            # A rule has to hold for the barrier too, or it would be no barrier.
            rounds = ROUNDS_OF_POLLING if scenario.gaminrc else way.rounds
            driver = WireDriver(lambda: way.connect(server), where, rounds)
            end.callback(driver.close)
            Play(driver, disk.do, where, way.traits, way.patience).perform(scenario)
