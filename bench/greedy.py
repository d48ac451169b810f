"""What an innocent client feels while another one is greedy: `python -m bench greedy`.

    python -m bench.greedy [--quick] [--place DIRECTORY] [ACT…]

For each act: a server of its own, and one innocent client of each language (libgamin in
C, Watchman's JSON, `gamin.watch`), each pinged by files that are made one at a time.
The first line has no greedy client. Figures are median / 99 % in milliseconds; then the
longest callback of the server's loop (CPU), the time until `stop` is answered while the
act goes on, and how much memory (PSS) the server gained at the most.
"""

import argparse
import json
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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles

from bench import measure
from bench.build import program
from gamin.client.connect import connect_gam, connect_watchman
from testkit.daemon import packet
from testkit.waiting import eventually

REPOSITORY = Path(__file__).parent.parent
LANGUAGES = ("libgamin", "JSON", "Python")
COMMANDS = {
    "JSON": [sys.executable, "-m", "bench.peers.json_client"],
    "Python": [sys.executable, "-m", "bench.peers.gamin_client"],
}
PATIENCE = 60


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
    "a large tree renamed": moved_trees,
    "overflows": overflows,
}


@contextmanager
def innocent(served: Served, language: str) -> Iterator[tuple[Path, int]]:
    """A client that watches an empty directory; the directory, and its output."""
    folder = served.place / language
    folder.mkdir()
    command = COMMANDS.get(language) or [program("fam")]
    environ = os.environ | served.environ | {"GAMIN_DEBUG_SERVER": "/bin/false"}
    process = subprocess.Popen(
        [*command, str(folder), "--flat", "--stamp"],
        cwd=REPOSITORY,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield folder, process.stdout.fileno()
    finally:
        process.kill()
        process.wait()


def run(act: Act, served: Served, pings: int) -> list[str]:
    """One line of the table."""
    with ExitStack() as several:
        clients = [several.enter_context(innocent(served, each)) for each in LANGUAGES]
        served.longest_callback()
        memory = most = served.memory()
        over = threading.Event()
        greedy = threading.Thread(target=act, args=(served, over))
        greedy.start()
        time.sleep(0.2)
        ping = [program("ping")]
        pinging = [
            subprocess.Popen(
                [*ping, str(folder), str(pings), str(PATIENCE)],
                stdin=output,
                stdout=subprocess.PIPE,
                text=True,
            )
            for folder, output in clients
        ]
        while any(each.poll() is None for each in pinging):
            most = max(most, served.memory())
            time.sleep(0.1)
        figures = [_figures(each.communicate()[0].split()) for each in pinging]
        longest = served.longest_callback()
        answered = served.stop()
        over.set()
        greedy.join(PATIENCE)
    gained = max(0, most - memory) / 2**20
    longest_ms, answered_ms = longest * 1000, answered * 1000
    return [*figures, f"{longest_ms:.0f}", f"{answered_ms:.0f}", f"{gained:.1f}"]


def _figures(answers: list[str]) -> str:
    delays = [int(answer) / 1e6 for answer in answers if answer != "lost"]
    lost = len(answers) - len(delays)
    if len(delays) < 2:
        return f"{lost} lost"
    slow = quantiles(delays, n=100, method="inclusive")[98]
    return f"{median(delays):.1f} / {slow:.1f}" + (f" ({lost} lost)" if lost else "")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench greedy")
    parser.add_argument("acts", nargs="*", metavar="ACT", help=", ".join(ACTS))
    parser.add_argument("--quick", action="store_true", help="small, to see it work")
    parser.add_argument("--place", type=Path, default="/dev/shm")
    options = parser.parse_args(arguments)
    directories, files, pings = (
        (200, 2_000, 30) if options.quick else (20000, 200000, 300)
    )
    heads = [*LANGUAGES, "longest callback", "stop", "memory"]
    print("|", " | ".join(["beside", *heads]), "|")
    print("|", " | ".join(["---"] + ["---:"] * len(heads)), "|")
    for name in options.acts or ACTS:
        place = Path(tempfile.mkdtemp(prefix="gamin-bench-", dir=options.place))
        served = Served(place, directories, files)
        try:
            print("|", " | ".join([name, *run(ACTS[name], served, pings)]), "|")
            sys.stdout.flush()
        finally:
            served.close()
            shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
