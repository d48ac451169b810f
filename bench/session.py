"""Watchers at work: one session holds those that are measured together.

A `Peer` knows how its watcher is started and what its output means; what is done to it,
by the work.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench import measure
from bench.belief import Report
from bench.peers.base import Peer, Request

REPOSITORY = Path(__file__).parent.parent
READY_SECONDS = 180.0
READY_QUIET_SECONDS = 0.3
SETTLE_SECONDS = 120.0
QUIET_SECONDS = 2.0  # longer than the slowest timer there is: the original's 1.1 s


class GaveUp(Exception):
    """A watcher did not do what the work needs; the text is for the table."""


class Watcher:
    """One peer watching one root. Its output goes to a file, or into a pipe."""

    def __init__(
        self, peer: Peer, request: Request, environment: dict[str, str], *, piped: bool
    ) -> None:
        self.peer, self.request = peer, request
        self._errors = request.scratch / "stderr"
        self._output = request.scratch / "stdout"
        self.started = time.monotonic()
        with self._errors.open("wb") as errors, self._output.open("wb") as output:
            self.process = subprocess.Popen(
                peer.command(request),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if piped else output,
                stderr=errors,
                env=environment,
                cwd=REPOSITORY,
                bufsize=0,
            )
        self.ready_at = self.started
        self._piped = b""  # what was read from the pipe while it was not ready

    def is_ready(self) -> bool:
        return self.peer.is_ready(self.output(), self.errors())

    def output(self) -> bytes:
        """All it has printed; of a pipe, only what was not read yet."""
        pipe = self.process.stdout
        if pipe is None:
            return self._output.read_bytes()
        while select.select([pipe], [], [], 0)[0]:
            if not (data := os.read(pipe.fileno(), 1 << 20)):
                break
            self._piped += data
        return self._piped

    def printed(self) -> int:
        """Bytes in its output file so far."""
        return self._output.stat().st_size

    def ready_after(self) -> float:
        """Seconds from its start until it watched."""
        return self.ready_at - self.started

    def errors(self) -> bytes:
        return self._errors.read_bytes()

    def check_alive(self) -> None:
        """Raises GaveUp, with its last words, if it has ended by itself."""
        if self.process.poll() is not None:
            lines = self.errors().decode(errors="replace").strip().splitlines()
            raise GaveUp(f"ended: {lines[-1] if lines else 'silently'}")

    def finish(self) -> list[Report]:
        """End it in its own way; return everything it reported. Raises GaveUp."""
        self.check_alive()
        self.peer.end(self.process)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired as error:
            raise GaveUp("did not end") from error
        return list(self.peer.parse(self.output(), os.fsencode(self.request.root)))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Session:
    """Watchers and the servers they start, known by a common GAM_CLIENT_ID."""

    def __init__(self, place: Path) -> None:
        self.name = f"bench-{uuid.uuid4()}"
        self.watchers: list[Watcher] = []
        self.scratch = place / self.name
        self.scratch.mkdir()
        # The original and its successor poll what is below /dev, where the usual
        # tmpfs is; a user's own rules come before that one.
        top = Path(*place.resolve().parts[:2])
        (self.scratch / ".gaminrc").write_text(f"notify {top} {top}/*\n")

    def watch(
        self,
        peer: Peer,
        root: Path,
        *,
        flat: bool = False,
        stamp: bool = False,
        piped: bool = False,
    ) -> Watcher:
        """Start one more watcher and wait until it watches. Raises GaveUp."""
        scratch = self.scratch / str(len(self.watchers))
        scratch.mkdir()
        request = Request(root, scratch, self.scratch, flat, stamp)
        environment = self.environment() | peer.environment()
        watcher = Watcher(peer, request, environment, piped=piped)
        self.watchers.append(watcher)
        self._wait_ready(watcher)
        return watcher

    def environment(self) -> dict[str, str]:
        """That of its processes: its name, and a home of its own."""
        home = str(self.scratch)
        own = {"GAM_CLIENT_ID": self.name, "HOME": home, "XDG_STATE_HOME": home}
        return os.environ | own

    def _wait_ready(self, watcher: Watcher) -> None:
        deadline = watcher.started + READY_SECONDS
        while watcher.peer.announces and not watcher.is_ready():
            watcher.check_alive()
            if time.monotonic() > deadline:
                raise GaveUp(f"not ready after {READY_SECONDS:.0f} s")
            time.sleep(max(0.0005, (time.monotonic() - watcher.started) / 50))
        watcher.ready_at = time.monotonic()
        if not watcher.peer.announces:
            watcher.ready_at = _watching_since(watcher)

    def pids(self) -> set[int]:
        return measure.tagged(b"GAM_CLIENT_ID=" + self.name.encode())

    def servers(self) -> set[int]:
        """The processes that outlive the watchers that started them."""
        return self.pids() - {watcher.process.pid for watcher in self.watchers}

    def cpu(self) -> float:
        return sum(map(measure.cpu, self.pids()))

    def memory(self) -> int:
        return sum(map(measure.memory, self.pids()))

    def watches(self) -> int:
        return sum(map(measure.watches, self.pids()))

    def wakeups(self) -> int:
        return sum(map(measure.wakeups, self.pids()))

    def settle(self, quiet: float = QUIET_SECONDS, step: float = 0.05) -> float:
        """Wait until all are quiet; return the moment they last were busy.

        A watcher is busy while it uses the CPU or prints; some work a little once a
        second.
        """
        busy_at = now = time.monotonic()
        deadline = now + SETTLE_SECONDS
        restless = sum(watcher.peer.restless for watcher in self.watchers)
        used, printed = self.cpu(), self._printed()
        while now < busy_at + quiet:
            if now > deadline:
                raise GaveUp(f"still busy after {SETTLE_SECONDS:.0f} s")
            time.sleep(step)
            before, now = now, time.monotonic()
            used_before, used = used, self.cpu()
            printed_before, printed = printed, self._printed()
            idle = used - used_before <= restless * (now - before)
            if not idle or printed > printed_before:
                busy_at = now
        return busy_at

    def _printed(self) -> int:
        return sum(watcher.printed() for watcher in self.watchers)

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.close()
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 5
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            while self.pids() and time.monotonic() < deadline:
                time.sleep(0.02)


def _watching_since(watcher: Watcher) -> float:
    """When it took its last kernel watch, for a watcher that does not announce it."""
    held, since = 0, time.monotonic()
    while not held or time.monotonic() < since + READY_QUIET_SECONDS:
        checked = time.monotonic()
        if checked > watcher.started + READY_SECONDS:
            raise GaveUp(f"not ready after {READY_SECONDS:.0f} s")
        before, held = held, measure.watches(watcher.process.pid)
        if held > before:
            since = checked
        time.sleep(0.0005 + 3 * (time.monotonic() - checked))
    return since


@contextlib.contextmanager
def session(place: Path) -> Iterator[Session]:
    opened = Session(place)
    try:
        yield opened
    finally:
        opened.close()
