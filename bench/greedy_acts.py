"""Ways of being greedy, and the server on which `bench.greedy` measures them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from bench import measure
from gamin.client.connect import connect_gam, connect_watchman
from testkit.daemon import packet
from testkit.waiting import eventually

REPOSITORY = Path(__file__).parent.parent
PATIENCE = 60
"""Seconds for what takes milliseconds otherwise."""


class Served:
    """A server whose callbacks are timed, and a large tree."""

    def __init__(self, place: Path, directories: int, files: int) -> None:
        self.place = place
        self.tree = place / "tree"
        self.files = files
        self.folders = []
        for number in range(directories):
            folder = self.tree / f"group-{number // 100}" / f"{number}"
            folder.mkdir(parents=True)
            self.folders.append(folder)
            for each in range(files // directories):
                (folder / f"file-{each:05}").touch()
        top = Path(*place.resolve().parts[:2])
        (place / ".gaminrc").write_text(f"notify {top} {top}/*\n")
        self.environ = {
            "GAM_CLIENT_ID": f"bench-{uuid.uuid4()}",
            "GAMIN_SOCKET_DIR": str(place),
            "GAMIN_STATE": "off",
            "HOME": str(place),
        }
        self._report = place / "callbacks.json"
        command = [sys.executable, "-m", "bench.timed_server", str(self._report)]
        self.process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=os.environ | self.environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, what="the server listening")

    def _answers(self) -> bool:
        with suppress(Exception):
            self.gam().close()
            self.json().socket.close()
            return True
        return False

    def gam(self) -> socket.socket:
        return connect_gam(start=False, environ=self.environ)

    def json(self) -> "Asker":
        return Asker(connect_watchman(start=False, environ=self.environ))

    def memory(self) -> int:
        return measure.memory(self.process.pid)

    def longest_callback(self) -> float:
        """Seconds of CPU since this was asked last."""
        self._report.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        eventually(self._report.exists, PATIENCE, "the report of callbacks")
        found = json.loads(self._report.read_text())
        return max((seconds for _, seconds in found), default=0.0)

    def stop(self) -> float:
        """Seconds until `stop` is answered."""
        begun = time.monotonic()
        asker = self.json()
        asker.socket.settimeout(PATIENCE)
        asker.ask("gamin-stop")
        return time.monotonic() - begun

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Asker:
    """A connection in Watchman's language."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.lines = connected.makefile("rb")

    def send(self, *request: object, times: int = 1) -> None:
        self.socket.sendall((json.dumps(request).encode() + b"\n") * times)

    def ask(self, *request: object) -> dict[str, object]:
        self.send(*request)
        answer: dict[str, object] = json.loads(self.lines.readline())
        return answer

    def read_all(self) -> None:
        with suppress(OSError, ValueError):
            for _ in self.lines:
                pass


Act = Callable[[Served, threading.Event], None]
"""Is greedy until the event is set."""


def nothing(served: Served, over: threading.Event) -> None:
    over.wait()


def pipelined_queries(served: Served, over: threading.Event) -> None:
    asker = served.json()
    asker.ask("watch", str(served.tree))
    threading.Thread(target=asker.read_all, daemon=True).start()
    asker.send("query", str(served.tree), {"fields": ["name"]}, times=1000)
    over.wait()
    asker.socket.shutdown(socket.SHUT_RDWR)


def unread_queries(served: Served, over: threading.Event) -> None:
    asker = served.json()
    asker.ask("watch", str(served.tree))
    asker.send("query", str(served.tree), {}, times=100)
    over.wait()
    asker.socket.shutdown(socket.SHUT_RDWR)


def costly_terms(served: Served, over: threading.Event) -> None:
    terms = [["name", f"nothing-{number}"] for number in range(900)]
    _repeat(served, over, {"fields": ["name"], "expression": ["anyof", *terms]})


def costly_patterns(served: Served, over: threading.Event) -> None:
    terms = [["pcre", f"({number}.*)+x$"] for number in range(250)]
    _repeat(served, over, {"fields": ["name"], "expression": ["anyof", *terms]})


def costly_globs(served: Served, over: threading.Event) -> None:
    globs = [f"**/*{number}*a*b*c*" for number in range(250)]
    _repeat(served, over, {"fields": ["name"], "glob": globs})


def large_requests(served: Served, over: threading.Event) -> None:
    _repeat(served, over, {"ignore": ["*a*b*c*d*e"] * 300_000})


def _repeat(served: Served, over: threading.Event, query: dict[str, object]) -> None:
    asker = served.json()
    asker.ask("watch", str(served.tree))
    threading.Thread(target=asker.read_all, daemon=True).start()
    with suppress(OSError):
        while not over.wait(0.05):
            asker.send("query", str(served.tree), query)
    asker.socket.shutdown(socket.SHUT_RDWR)


def subscriptions(served: Served, over: threading.Event) -> None:
    """The most of one connection, which leaves; again and again."""
    with suppress(OSError):
        while not over.is_set():
            asker = served.json()
            asker.ask("watch", str(served.tree))
            for number in range(4096):
                query = {"fields": ["name"], "empty_on_fresh_instance": True}
                asker.send("subscribe", str(served.tree), f"{number}", query)
                asker.lines.readline()
                if over.is_set():
                    break
            asker.socket.shutdown(socket.SHUT_RDWR)


def fresh_subscriptions(served: Served, over: threading.Event) -> None:
    asker = served.json()
    asker.ask("watch", str(served.tree))
    threading.Thread(target=asker.read_all, daemon=True).start()
    for number in range(50):
        asker.send("subscribe", str(served.tree), f"{number}", {"fields": ["name"]})
    over.wait()
    asker.socket.shutdown(socket.SHUT_RDWR)


def lists_of_rules(served: Served, over: threading.Event) -> None:
    asker = served.json()
    threading.Thread(target=asker.read_all, daemon=True).start()
    with suppress(OSError):
        for number in range(4000):
            query = {"fields": ["name"], "ignore": [f"x{number}"], "watch": True}
            query["initial"] = False
            asker.send("subscribe", str(served.tree), f"{number}", query)
    over.wait()
    asker.socket.shutdown(socket.SHUT_RDWR)


def ignore_files(served: Served, over: threading.Event) -> None:
    text = "".join(f"*{number}a*b*c*d\n" for number in range(1000))
    for folder in served.folders[:300]:
        (folder / ".gitignore").write_text(text)
    asker = served.json()
    query = {"fields": ["name"], "vcs_ignore": True, "watch": True, "initial": False}
    asker.send("subscribe", str(served.tree), "rules", query)
    over.wait()
    for folder in served.folders[:300]:
        (folder / ".gitignore").unlink()


def unfinished_lines(served: Served, over: threading.Event) -> None:
    with ExitStack() as several, suppress(OSError):
        for _ in range(20):
            connected = several.enter_context(served.json().socket)
            connected.sendall(b"[" * (15 << 20))
        over.wait()


def gam_requests(served: Served, over: threading.Event) -> None:
    with served.gam() as connected:
        threading.Thread(target=_swallow, args=(connected,), daemon=True).start()
        with suppress(OSError):
            for number in range(65_000):
                connected.sendall(packet(number, 1, served.tree / f"none-{number}"))
        over.wait()


def _swallow(connected: socket.socket) -> None:
    with suppress(OSError):
        while connected.recv(1 << 16):
            pass


def long_listings(served: Served, over: threading.Event) -> None:
    """A directory as large as the tree is listed for libgamin, again and again."""
    directory = served.place / "long"
    directory.mkdir()
    for number in range(served.files // 2):
        (directory / f"file-{number:06}").touch()
    while not over.is_set():
        with served.gam() as connected, suppress(OSError):
            connected.settimeout(0.5)
            connected.sendall(packet(1, 2, directory))
            _swallow(connected)


def watched_now_and_then(served: Served, over: threading.Event) -> None:
    """The only client of a large tree watches it and gives it up, again and again."""
    asker = served.json()
    with suppress(OSError, ValueError):  # the server ends before this does
        while not over.is_set():
            asker.ask("watch", str(served.tree))
            asker.ask("watch-del", str(served.tree))


def moved_trees(served: Served, over: threading.Event) -> None:
    """A large tree is renamed into a watched directory, and out of it again."""
    asker = served.json()
    box = served.place / "box"
    box.mkdir()
    asker.ask("watch", str(box))
    while not over.wait(1.0):
        served.tree.rename(box / "tree")
        over.wait(3.0)
        (box / "tree").rename(served.tree)


def overflows(served: Served, over: threading.Event) -> None:
    """The kernel's queue overflows again and again below a large watched tree."""
    asker = served.json()
    asker.ask("watch", str(served.tree))
    files = [folder / "file-00000" for folder in served.folders[:2]]
    while not over.wait(2.0):
        os.kill(served.process.pid, signal.SIGSTOP)
        for _ in range(9000):
            for file in files:
                os.truncate(file, 0)
        os.kill(served.process.pid, signal.SIGCONT)


ACTS: dict[str, Act] = {
    "alone": nothing,
    "1,000 queries at once": pipelined_queries,
    "100 queries, unread": unread_queries,
    "900 terms": costly_terms,
    "250 regular expressions": costly_patterns,
    "250 globs": costly_globs,
    "requests of 4 MB": large_requests,
    "4,096 subscriptions": subscriptions,
    "50 first listings": fresh_subscriptions,
    "4,000 lists of rules": lists_of_rules,
    "300 ignore files": ignore_files,
    "unfinished requests": unfinished_lines,
    "65,000 requests of libgamin": gam_requests,
    "a long directory listed": long_listings,
    "a large tree, now and then": watched_now_and_then,
    "a large tree renamed": moved_trees,
    "overflows": overflows,
}
