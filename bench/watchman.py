"""What Watchman's clients ask, of Watchman and of ours: `python -m bench watchman`.

    python -m bench watchman [--quick] [--place DIRECTORY] [--requests N] [REQUEST…]

Both servers watch one tree and get the same requests in BSER alternately. Figures are
medians: the CPU of the server and the time to the whole answer in ms, and the ratio of
the CPU, or of the time where the answer waits for changes. The last columns say how
long another client waited for `version` at the most meanwhile.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench import measure
from bench.peers.watchman import server_options
from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.pdu import ENCODINGS, decode, end_of

REPOSITORY = Path(__file__).parent.parent
NAMES = ("watchman", "gamin")
PATIENCE = 180
PING_SECONDS = 0.002
"""Seconds between two requests of the client that only asks for `version`."""
ROUNDS = 20
"""Questions for one figure, where one is too quick to be measured."""
DIRECTORIES, FILES = 2_000, 200_000
QUICK_DIRECTORIES, QUICK_FILES = 100, 2_000
ENDINGS = ("js", "c", "h", "py", "txt", "md", "json", "ts", "css", "html")

_CODE = ["anyof", *(["suffix", ending] for ending in ("js", "json", "ts"))]
_CRAWL = ["name", "exists", "mtime_ms", "size"]
QUERIES: dict[str, dict[str, object]] = {
    "all names": {"fields": ["name"]},
    "default fields": {},
    "git's first query": {
        "fields": ["name"],
        "expression": ["not", ["dirname", ".git"]],
    },
    "Mercurial's first query": {
        "fields": ["mode", "mtime", "size", "exists", "name"],
        "expression": [
            "not",
            ["anyof", ["dirname", ".hg"], ["name", ".hg", "wholename"]],
        ],
    },
    "jest's crawl": {"fields": _CRAWL, "expression": ["allof", ["type", "f"], _CODE]},
    "jest's crawl below a directory": {
        "fields": _CRAWL,
        "expression": ["allof", ["type", "f"], _CODE],
        "glob": ["pkg03/**"],
        "glob_includedotfiles": True,
    },
    "metro's crawl": {
        "fields": [*_CRAWL, "type"],
        "expression": ["anyof", ["allof", ["type", "f"], _CODE], ["type", "l"]],
    },
    "names that match": {
        "fields": ["name"],
        "expression": ["match", "pkg*/**/*.py", "wholename"],
    },
    "suffix, a tenth": {"fields": ["name"], "suffix": "js"},
    "glob": {"fields": ["name"], "glob": ["pkg03/**/*.js"]},
    "one directory": {"fields": ["name"], "path": [{"path": "pkg03/d1", "depth": 0}]},
}
CHANGES = {"1 change": 1, "10,000 changes": 10_000}
OTHERS = ("set-up", "subscription")


class Client:
    """A connection that speaks BSER and does not read what is in large answers."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(path)
        self._buffer = bytearray()

    def exchange(self, *request: object) -> bytes:
        self._socket.sendall(ENCODINGS["bser"].encode(list(request)))
        return self.receive()

    def receive(self) -> bytes:
        while True:
            end = end_of(self._buffer) if self._buffer else None
            if end is not None:
                message = bytes(self._buffer[:end])
                del self._buffer[:end]
                return message
            data = self._socket.recv(1 << 20)
            if not data:
                raise RemoteProtocolError("the server closed the connection")
            self._buffer += data

    def ask(self, *request: object) -> dict[str, Any]:
        answer = decode(self.exchange(*request))
        assert isinstance(answer, dict)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        self._socket.close()


class Server:
    """One of the two, with a directory of its own."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self._place = place
        place.mkdir(mode=0o700)
        top = Path(*place.resolve().parts[:2])
        (place / ".gaminrc").write_text(f"notify {top} {top}/*\n")
        environment = {
            **{"GAM_CLIENT_ID": f"bench-{uuid.uuid4()}", "GAMIN_STATE": "off"},
            **{"GAMIN_SOCKET_DIR": str(place), "HOME": str(place)},
        }
        if name == "watchman":
            command = ["watchman", *server_options(place).split()]
        else:
            main = "import sys; from gamin.cli.main import main; sys.exit(main())"
            command = [sys.executable, "-c", main, "watchman", "--no-pretty"]
        self._environment = os.environ | environment
        self._command = command
        answer = self._run("get-sockname")
        self.path = str(answer["sockname"])
        self.client = self.connect()
        self.pid = int(self.client.ask("get-pid")["pid"])

    def _run(self, *words: str) -> dict[str, Any]:
        command = [*self._command, "--output-encoding", "bser", *words]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, cwd=REPOSITORY
        )
        answer = decode(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def connect(self) -> Client:
        return Client(self.path)

    def cpu(self) -> float:
        return measure.cpu(self.pid)

    def memory(self) -> int:
        return measure.memory(self.pid)

    def close(self) -> None:
        self.client.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Measured(NamedTuple):
    """Of one server and one request, in seconds."""

    cpu: float
    time: float
    wait: float
    """Of the other client."""


class Pinging:
    """A client that asks for `version` all the time; and how long it waited."""

    def __init__(self, server: Server) -> None:
        self.longest = 0.0
        self._client = server.connect()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        while not self._is_over.wait(PING_SECONDS):
            begun = time.monotonic()
            self._client.exchange("version")
            self.longest = max(self.longest, time.monotonic() - begun)

    def end(self) -> float:
        self._is_over.set()
        self._thread.join()
        self._client.close()
        return self.longest


def measured(server: Server, act: Callable[[], object], *, repeat: int = 1) -> Measured:
    """What the act costs."""
    before, begun = server.cpu(), time.monotonic()
    for _ in range(repeat):
        act()
    seconds, cpu = time.monotonic() - begun, server.cpu() - before
    return Measured(cpu / repeat, seconds / repeat, 0.0)


def wait_beside(server: Server, act: Callable[[], object]) -> float:
    pinging = Pinging(server)
    act()
    return pinging.end()


def make_tree(root: Path, directories: int, files: int) -> None:
    each = files // directories
    for number in range(directories):
        folder = root / f"pkg{number % 50:02}" / f"d{number // 50}"
        folder.mkdir(parents=True)
        for name in range(each):
            (folder / f"file{name:04}.{ENDINGS[name % len(ENDINGS)]}").touch()


def write(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"more")


class Bench:
    def __init__(self, place: Path, options: argparse.Namespace) -> None:
        self.requests = options.requests
        self.root = place / "tree"
        self._count = QUICK_FILES if options.quick else FILES
        directories = QUICK_DIRECTORIES if options.quick else DIRECTORIES
        make_tree(self.root, directories, self._count)
        self.files = sorted(self.root.rglob("file*"))
        self._turn = 0
        self.servers: list[Server] = []
        try:
            for name in NAMES:
                self.servers.append(Server(name, place / name))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for server in self.servers:
            server.close()

    def alternately(self, one: Callable[[Server], Measured]) -> list[list[Measured]]:
        rounds = [list(map(one, self.servers)) for _ in range(self.requests)]
        return [list(each) for each in zip(*rounds, strict=True)]

    def _next_files(self, count: int) -> list[Path]:
        """Others each time: our server delays what is written again and again."""
        self._turn += 1
        step = len(self.files) // count
        start = self._turn * 7919 % step
        return self.files[start::step][:count]

    # -- lines of the table

    def set_up(self) -> Iterator[list[str]]:
        figures = []
        for server in self.servers:

            def crawl(server: Server = server) -> None:
                server.client.ask("watch-project", str(self.root))
                server.client.ask("clock", str(self.root), {"sync_timeout": 180_000})

            pinging = Pinging(server)
            one = measured(server, crawl)
            figures.append([one._replace(wait=pinging.end())])
        yield line("set-up", "", figures, by_time=True)
        memory = [server.memory() / 2**20 for server in self.servers]
        ratio = f"{memory[1] / memory[0]:.2f}"
        cells = ["memory after it (MiB)", ""]
        cells += [f"{memory[0]:.1f}", f"{memory[1]:.1f}", ratio, "", "", "", ""]
        yield cells

    def query(self, name: str) -> list[str]:
        root, query = str(self.root), QUERIES[name]
        names = {**query, "fields": ["name"]}
        ask = [each.client.ask for each in self.servers]
        found = [sorted(each("query", root, names)["files"]) for each in ask]
        if found[0] != found[1]:
            raise RuntimeError(f"{name}: the answers differ")
        rows = len(found[0])
        repeat = 1 if rows > self._count / 100 else ROUNDS

        def one(server: Server) -> Measured:
            act = partial(server.client.exchange, "query", root, query)
            found = measured(server, act, repeat=repeat)
            return found._replace(wait=wait_beside(server, act))

        return line(name, f"{rows:,}", self.alternately(one))

    def since(self, name: str) -> list[str]:
        root, count = str(self.root), min(CHANGES[name], self._count // 2)

        def ask(server: Server) -> tuple[Measured, Callable[[], object]]:
            files = self._next_files(count)
            clock = server.client.ask("clock", root, {"sync_timeout": 60_000})["clock"]
            for file in files:
                write(file)
            query = {"since": clock, "fields": ["name", "exists"]}
            act = partial(server.client.exchange, "query", root, query)
            return measured(server, act), act

        def one(server: Server) -> Measured:
            if count > 1:
                found, act = ask(server)
            else:
                several, acts = zip(*(ask(server) for _ in range(ROUNDS)), strict=True)
                found, act = Measured(*map(median, zip(*several, strict=True))), acts[0]
            return found._replace(wait=wait_beside(server, act))

        return line(f"since, {name}", f"{count:,}", self.alternately(one), by_time=True)

    def subscription(self) -> list[str]:
        root = str(self.root)
        for server in self.servers:
            clock = server.client.ask("clock", root)["clock"]
            query = {"fields": ["name"], "since": clock}
            server.client.ask("subscribe", root, "bench", query)

        def one(server: Server) -> Measured:
            for each in self.servers:  # both see every change
                if each is not server:
                    each.client.ask("debug-set-subscriptions-paused", {"bench": True})
            write(self._next_files(1)[0])
            found = measured(server, server.client.receive)
            for each in self.servers:
                if each is not server:
                    each.client.ask("debug-set-subscriptions-paused", {"bench": False})
                    each.client.receive()
            return found

        found = self.alternately(one)
        for server in self.servers:
            server.client.ask("unsubscribe", root, "bench")
        return line("subscription: write to message", "1", found, by_time=True)


def line(
    name: str,
    rows: str,
    figures: Sequence[Sequence[Measured]],
    *,
    by_time: bool = False,
) -> list[str]:
    cpu = [median(one.cpu for one in each) * 1000 for each in figures]
    seconds = [median(one.time for one in each) * 1000 for each in figures]
    waits = [max(one.wait for one in each) * 1000 for each in figures]
    compared = seconds if by_time else cpu
    ratio = compared[1] / compared[0] if compared[0] else float("inf")
    times = [f"{each:.2f}" if each < 10 else f"{each:.0f}" for each in (*cpu, *seconds)]
    shown = [f"{wait:.0f}" if wait else "" for wait in waits]
    return [name, rows, *times[:2], f"{ratio:.2f}", *times[2:], *shown]


HEADS = (
    *("request", "rows", "CPU: Watchman", "CPU: gamin", "ratio"),
    *("answer: Watchman", "answer: gamin", "wait: Watchman", "wait: gamin"),
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench watchman")
    known = [*OTHERS, *QUERIES, *CHANGES]
    parser.add_argument("names", nargs="*", metavar="REQUEST", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="small, to see it work")
    parser.add_argument("--requests", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--place", type=Path, default="/dev/shm")
    options = parser.parse_args(arguments)
    wanted = options.names or known
    place = Path(tempfile.mkdtemp(prefix="gamin-bench-", dir=options.place))
    bench = Bench(place, options)
    try:
        show(HEADS)
        show(["---"] * 2 + ["---:"] * (len(HEADS) - 2))
        for cells in bench.set_up():
            show(cells)
        for name in wanted:
            if name in QUERIES:
                show(bench.query(name))
            elif name in CHANGES:
                show(bench.since(name))
            elif name == "subscription":
                show(bench.subscription())
    finally:
        bench.close()
        shutil.rmtree(place)
    return 0


def show(cells: Sequence[str]) -> None:
    print("|", " | ".join(cells), "|")
    sys.stdout.flush()
