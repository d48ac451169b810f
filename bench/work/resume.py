"""What changed in a large tree while no server ran.

The yardstick is a C program that reads the directories and the status of every entry:
whoever compares a tree with what it was must do that.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.build import generate
from bench.peers.base import Peer
from bench.peers.gamin import COMMAND
from bench.peers.watchman import server_options
from bench.results import YARDSTICK, Column, Unit, Value
from bench.session import REPOSITORY, GaveUp, Session, session
from bench.work.base import Place, Work
from bench.work.size import Size

COLUMNS = (
    Column("answer", "answer after", Unit.SECONDS, ratio=True),
    Column("cpu", "CPU", Unit.SECONDS, ratio=True),
    Column("start", "with its start", Unit.SECONDS, ratio=True),
    Column("listing", "a full listing", Unit.SECONDS, ratio=True),
    Column("rows", "rows", Unit.COUNT),
    Column("wrong", "wrong", Unit.COUNT),
)
OLD_SECONDS = 0.1
"""What is younger when the server ends may count as changed."""

Rows = set[tuple[str, str]]
"""Kinds and paths."""


def resume(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    generate("tree", root, *place.size.large)
    time.sleep(OLD_SECONDS)
    if peer.name == YARDSTICK:
        return _walk(root)
    with session(place.path) as watching:
        ask = _ask_watchman if peer.name == "watchman" else _ask_gamin
        return ask(watching, root, place.size.differing)


def _walk(root: Path) -> dict[str, Value]:
    before, started = os.times(), time.monotonic()
    generate("walk", root)
    seconds, after = time.monotonic() - started, os.times()
    cpu = after.children_user + after.children_system
    return {
        "answer": seconds,
        "cpu": cpu - before.children_user - before.children_system,
    }


def _change(root: Path, count: int) -> Rows:
    """Change, make, rename and remove files; return what is to be reported."""
    files = sorted(root.rglob("f*"))
    chosen = iter(files[:: len(files) // count][:count])
    expected: Rows = set()
    for path, new in zip(chosen, range(count // 4), strict=False):
        with path.open("ab") as file:
            file.write(b"more")
        expected.add(("changed", str(path)))
        made = path.with_name(f"new-{new}")
        made.touch()
        expected.add(("created", str(made)))
        renamed, removed = next(chosen), next(chosen)
        target = renamed.with_name(f"renamed-{new}")
        renamed.rename(target)
        removed.unlink()
        expected |= {("deleted", str(renamed)), ("deleted", str(removed))}
        expected.add(("created", str(target)))
        next(chosen)  # so that `count` files are spread over all
    return expected


# -- gamin


def _ask_gamin(watching: Session, root: Path, count: int) -> dict[str, Value]:
    clock = _since(watching, root, "-")["clock"]
    _end(watching)
    expected = _change(root, count)
    with_start = _since(watching, root, clock)
    _end(watching)
    empty = watching.scratch / "empty"
    empty.mkdir()
    _since(watching, empty, "-")
    cpu = watching.cpu()
    answer = _since(watching, root, clock)
    cpu = watching.cpu() - cpu + answer["cpu"]
    _end(watching)
    _since(watching, empty, "-")
    listing = _since(watching, root, "-")
    wrong = sum(
        len(expected ^ {(kind, path) for kind, path, _ in each["rows"]})
        for each in (with_start, answer)
    )
    return {
        "answer": answer["seconds"],
        "cpu": cpu,
        "start": with_start["seconds"],
        "listing": listing["seconds"],
        "rows": len(answer["rows"]),
        "wrong": wrong,
    }


def _since(watching: Session, root: Path, clock: str) -> dict[str, Any]:
    client = [sys.executable, "-m", "bench.peers.since_client", str(root), clock]
    answer: dict[str, Any] = json.loads(_run(watching, client))
    return answer


def _end(watching: Session) -> None:
    _run(watching, [COMMAND, "stop"])
    while watching.pids():
        time.sleep(0.01)


def _run(watching: Session, command: list[str], text: str | None = None) -> str:
    """What the command prints. Raises GaveUp."""
    environment = watching.environment()
    environment.pop("GAMIN_STATE", None)
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        env=environment,
        cwd=REPOSITORY,
    )
    if done.returncode:
        raise GaveUp((done.stderr.strip().splitlines() or ["failed"])[-1])
    return done.stdout


# -- Watchman


def _ask_watchman(watching: Session, root: Path, count: int) -> dict[str, Value]:
    watchman = ["watchman", *server_options(watching.scratch).split(), "--no-pretty"]

    def ask(*request: object) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            _run(watching, [*watchman, "-j"], json.dumps(request))
        )
        if "error" in answer:
            raise GaveUp(answer["error"])
        return answer

    def since(clock: str) -> dict[str, Any]:
        query = {"since": clock, "fields": ["name", "exists"]}
        ask("watch", str(root))
        return ask("query", str(root), {**query, "sync_timeout": 180_000})

    clock = since("c:0:0")["clock"]
    ask("shutdown-server")
    _change(root, count)
    started = time.monotonic()
    answer = since(clock)
    with_start = time.monotonic() - started
    return {"start": with_start, "rows": len(answer["files"])}


def _fits(peer: Peer) -> str:
    remembers = (YARDSTICK, "gamin", "watchman")
    return "" if peer.name in remembers else "does not remember"


def _about(size: Size) -> str:
    directories, files = size.large
    return (
        f"A tree of {directories:,} directories with {files:,} files is watched, the "
        f"server ends, and {size.differing:,} files are changed, renamed and removed, "
        "or new. Answer after: from the question what changed since then to the "
        "answer, asked of a server that watches an empty directory; with its start: of "
        f"one that is started for it. {YARDSTICK}: a C program that reads all "
        "directories and the status of all files (`bench/c/walk.c`). Full listing: of "
        "the tree by another server, without a clock. Wrong: rows too many and too "
        "few, of both answers. Watchman forgets the tree, and returns everything."
    )


RESUME = Work(
    "resume", "Changed while no server ran", _about, COLUMNS, resume, fits=_fits
)
