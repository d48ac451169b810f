"""Random acts on several hosts, whose publishers, servers and NATS are killed.

    python -m soak.fleet [--hosts N] [--acts N] [--kills N] [--seed N]

Each host is a session of its own, with a tree on which an actor does `--acts` random
acts. Meanwhile publishers, gamin servers, NATS and the follower are killed at
random and started again. At rest the picture that the follower has of each tree must
equal the disk, and messages of a tree must have come in their order. Exit status 1 if
not.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gamin.fleet
from bench import measure
from gamin.fleet.connection import FleetError
from gamin.fleet.message import MISSED, FleetEvent
from gamin.fleet.mirror import Mirror
from gamin.fleet.registry import fleet_state
from gamin.fleet.settings import DEFAULT_STREAM, Servers
from testkit.actions.actor import Actor
from testkit.actions.acts import perform
from testkit.actions.real_disk import RealDisk
from testkit.nats import NatsServer
from testkit.publishing import Published

SECONDS_TO_REST = 180.0
KILLS_PER_REST = 10
"""After so many the hosts rest and the pictures are compared."""
MAX_PAUSE = 2.0
"""Seconds without acts after a kill, at most; else nobody gets far between two."""
DURABLE = "soak"
MAX_SHOWN = 80


class Host:
    """A tree, its actor and its publisher, which starts the session's server."""

    def __init__(self, name: str, place: Path, nats: NatsServer, seed: int) -> None:
        self.name = name
        self.tree = place / name / "tree"
        outside = place / name / "outside"
        for folder in (self.tree, outside):
            folder.mkdir(parents=True)
        self._session = f"soak-{uuid.uuid4()}"
        environ = {
            "GAM_CLIENT_ID": self._session,
            "GAMIN_SOCKET_DIR": str(place / name),
            "HOME": str(place / name),
            "XDG_STATE_HOME": str(place / name / "state"),
        }
        self._disk = RealDisk(self.tree, outside)
        self._actor = Actor(os.fsencode(self.tree), os.fsencode(outside), seed)
        self.publisher = Published(nats, place / name, self.tree, environ, name)

    def act(self) -> None:
        with suppress(OSError):
            perform(self._actor.choose(), self._disk)

    def kill_publisher(self) -> None:
        self.publisher.kill()
        self.publisher.start()

    def kill_server(self) -> None:
        for pid in self._servers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _servers(self) -> set[int]:
        own = self.publisher.process.pid
        return measure.tagged(b"GAM_CLIENT_ID=" + self._session.encode()) - {own}

    def end(self) -> None:
        self.publisher.kill()
        self.kill_server()

    def paths(self) -> set[str]:
        top = len(str(self.tree)) + 1
        found = set()
        for folder, folders, files in os.walk(self.tree):
            found |= {f"{folder}/{name}"[top:] for name in (*folders, *files)}
        return found


class FollowerThread(threading.Thread):
    """Follows all trees with a durable consumer; it can be killed at any message."""

    def __init__(self, nats: NatsServer) -> None:
        super().__init__(daemon=True)
        self._nats = nats
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._is_ended = False
        self.lock = threading.Lock()
        self.mirrors: dict[str, Mirror] = {}
        self.disorder: list[str] = []
        self.counts = Counter[str]()
        self.events = list[FleetEvent]()
        self._latest: dict[str, tuple[str, int]] = {}
        self._highest = 0

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._follow_again_and_again())

    async def _follow_again_and_again(self) -> None:
        while not self._is_ended:
            self._task = asyncio.ensure_future(self._follow())
            with suppress(asyncio.CancelledError, FleetError):
                await self._task
            # What was given and not acknowledged comes again, maybe in another epoch.
            self._latest.clear()

    async def _follow(self) -> None:
        async with gamin.fleet.follow(
            self._nats.url, since="all", durable=DURABLE
        ) as batches:
            async for batch in batches:
                with self.lock:
                    for event in batch:
                        self._take(event)

    def _take(self, event: FleetEvent) -> None:
        self.events.append(event)
        self.counts["messages"] += 1
        self.counts["recovered"] += event.recovered
        self.counts["listings"] += event.kind == "resync"
        self.counts["missed"] += event.kind == MISSED
        if event.kind != MISSED:
            self.counts["repeated"] += event.stream_sequence <= self._highest
            self._highest = max(self._highest, event.stream_sequence)
            self._check_order(event)
        self.mirrors.setdefault(event.host, Mirror()).apply(event)

    def _check_order(self, event: FleetEvent) -> None:
        epoch, sequence = self._latest.get(event.host, ("", -1))
        self._latest[event.host] = event.epoch, event.sequence
        if event.epoch == epoch and event.sequence != sequence + 1:
            self.disorder.append(f"{event.host}: {event.sequence} after {sequence}")

    def kill(self) -> None:
        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()

        self._loop.call_soon_threadsafe(cancel)

    def end(self) -> None:
        self._is_ended = True
        self.kill()
        self.join(10)


class FleetSoak:
    def __init__(self, options: argparse.Namespace, place: Path) -> None:
        self._random = random.Random(options.seed)
        self._options = options
        self.nats = NatsServer(place / "nats")
        self.nats.start()
        seeds = range(options.seed, options.seed + options.hosts)
        self.hosts = [
            Host(f"host{number}", place, self.nats, seed)
            for number, seed in enumerate(seeds)
        ]
        self.follower = FollowerThread(self.nats)
        self.follower.start()
        self.kills = Counter[str]()
        self.killed = list[tuple[int, str]]()
        self.wrong: list[str] = []
        self.explained: list[str] = []
        self.longest_rest = 0.0

    def run(self) -> None:
        total = self._options.acts * len(self.hosts)
        kills = set(self._random.sample(range(total), self._options.kills))
        for number in range(total):
            self.hosts[number % len(self.hosts)].act()
            if number in kills:
                self._kill_something()
                if self._random.random() < 0.5:
                    time.sleep(self._random.uniform(0, MAX_PAUSE))
                if len(self.killed) % KILLS_PER_REST == 0:
                    self._rest()
        self._rest()

    def _kill_something(self) -> None:
        host = self._random.choice(self.hosts)
        ways: dict[str, Callable[[], None]] = {
            "publisher": host.kill_publisher,
            "server": host.kill_server,
            "NATS": self._restart_nats,
            "follower": self.follower.kill,
        }
        what = self._random.choice(list(ways))
        self.kills[what] += 1
        # With what the follower had then, to be found among the events.
        self.killed.append((len(self.follower.events), f"{what} of {host.name}"))
        ways[what]()

    def _restart_nats(self) -> None:
        self.nats.kill()
        self.nats.start()

    def _rest(self) -> None:
        """Wait until what the follower believes is so; note what is not at the end."""
        began = time.monotonic()
        while found := self._wrong_now():
            if time.monotonic() > began + SECONDS_TO_REST:
                break
            time.sleep(0.2)
        if found:
            self.wrong += found
            self.explained += [*found[:3], *self._explained(found)]
        self.longest_rest = max(self.longest_rest, time.monotonic() - began)

    def _wrong_now(self) -> list[str]:
        found = []
        for host in self.hosts:
            with self.follower.lock:
                mirror = self.follower.mirrors.get(host.name, Mirror())
                believed, is_complete = set(mirror), mirror.is_complete
            there = host.paths()
            if not is_complete:
                found.append(f"{host.name}: its listing is not complete")
            found += [f"{host.name}: missing {path!r}" for path in there - believed]
            found += [f"{host.name}: phantom {path!r}" for path in believed - there]
        return found

    def _explained(self, found: list[str]) -> list[str]:
        """Whether the stream is wrong, too, and what it said of the first path."""
        mirrors = dict[str, Mirror]()
        for event in asyncio.run(self._stream()):
            mirrors.setdefault(event.host, Mirror()).apply(event)
        lines = []
        for host in self.hosts:
            state = host.publisher.process.poll()
            lines.append(f"{host.name}: its publisher {_running(state)}; it said last:")
            lines += host.publisher.log.read_text().splitlines()[-3:]
            if set(mirrors.get(host.name, Mirror())) != host.paths():
                lines.append(f"{host.name}: the stream itself is wrong")
        said, lines = lines, []
        name, _, path = found[0].partition(": ")
        path = path.partition("'")[2].rstrip("'")
        killed = deque(self.killed)
        for number, event in enumerate(self.follower.events):
            while killed and killed[0][0] <= number:
                lines.append(f"killed: {killed.popleft()[1]}")
            if event.host == name and any(
                path == each or each == "" or path.startswith(f"{each}/")
                for each in (event.path, event.dest)
                if each is not None
            ):
                lines.append(_shown(event))
            elif any(entry == path for entry, _ in event.entries):
                lines.append(f"listed in {_shown(event)}")
        return said + lines[-50:]

    async def _stream(self) -> list[FleetEvent]:
        """Everything that a new follower gets."""
        last = (await fleet_state(Servers((self.nats.url,)), DEFAULT_STREAM)).last
        events = list[FleetEvent]()
        async with gamin.fleet.follow(self.nats.url, since="all") as batches:
            async for batch in batches:
                events += batch
                if events[-1].stream_sequence >= last:
                    break
        return events

    def end(self) -> None:
        self.follower.end()
        for host in self.hosts:
            host.end()
        self.nats.kill()


def _running(status: int | None) -> str:
    return "runs" if status is None else f"ended with {status}"


def _shown(event: FleetEvent) -> str:
    where = f"{event.stream_sequence} {event.epoch}/{event.sequence}"
    what = f"{event.kind} {event.path!r} {event.dest or ''}"
    marks = " recovered" * event.recovered + " directory" * event.is_dir
    return f"{event.host}: {where} {what}{marks}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.fleet")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--acts", type=int, default=20_000, help="on each host")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gamin-soak-", dir="/tmp") as place:
        soak = FleetSoak(options, Path(place))
        try:
            soak.run()
            wrong = soak.wrong + soak.follower.disorder
            paths = sum(len(host.paths()) for host in soak.hosts)
        finally:
            soak.end()
    acts = options.hosts * options.acts
    lines = [
        f"seed {options.seed}: {acts} acts on {options.hosts} hosts, {paths} paths",
        f"  kills: {dict(soak.kills)}",
        f"  follower: {dict(soak.follower.counts)}",
        f"  right at most {soak.longest_rest:.1f} s after an act",
        f"  {len(wrong)} wrong",
        *(f"    {each}" for each in soak.explained[:MAX_SHOWN]),
        *(f"    {each}" for each in soak.follower.disorder[:MAX_SHOWN]),
    ]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
