"""Sends mutated requests to a real server, and checks that it is as before.

    python -m fuzz.live [COUNT [SEED]]

COUNT (default 1,000,000) requests of the Watchman language, half in JSON and half in
BSER, are mutated and sent to a server that is started for it. Each connection ends with
its batch. Afterwards the server must answer as before, hold nothing for anybody, watch
what it watched, and have its memory back. The status is 1 if not.
"""

import json
import os
import random
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gamin.client.connect import connect_watchman
from gamin.protocol.watchman.codec.pdu import ENCODINGS
from testkit.asker import Asker
from testkit.waiting import eventually

COUNT = 1_000_000
BATCH = 50
"""Requests of one connection."""
PATIENCE = 60.0
"""Seconds that the server may take for a batch."""
MAX_GROWTH = 32 << 20
"""Bytes of memory by which the server may have grown since it was warm."""
WARM_SHARE = 10
"""It counts as warm after this part of the requests."""
REPLY_BYTES = 4096
"""Bytes at the end of what came among which the last reply is."""
MAX_MUTATIONS = 4
"""Of one request."""
INTERESTING = (*(bytes([byte]) for byte in b'\0\xff\x7f\x80"[{\\\n\x0b'),)

Request = list[Any]


def seeds(root: str) -> list[Request]:
    """Sound requests. None of them watches a path or runs a program: with another path
    or another program it would not be harmless."""
    every = {
        "since": "c:1:2:3:4",
        "expression": ["allof", ["type", "f"], ["not", ["name", ["a", "b"]]]],
        "fields": ["name", "exists", "size", "mode", "mtime_ms", "cclock"],
        "suffix": ["c", "h"],
        "relative_root": "sub",
        "sync_timeout": 1000,
    }
    terms: list[Any] = [
        ["match", "*.c", "wholename", {"includedotfiles": True}],
        ["pcre", "^a.*b$", "basename"],
        ["dirname", "sub", ["depth", "ge", 1]],
        ["size", "gt", 10],
        ["since", 1_000_000_000, "mtime"],
        ["anyof", "empty", "exists", ["suffix", ["c"]]],
    ]
    return [
        ["version", {"required": ["relative_root"], "optional": ["bser-v2"]}],
        ["clock", root, {"sync_timeout": 100}],
        ["query", root, every],
        ["query", root, {"glob": ["**/*.c", "sub/?.h"], "fields": ["name"]}],
        ["query", root, {"path": ["sub", {"path": "", "depth": 1}]}],
        *(["query", root, {"expression": term}] for term in terms),
        ["find", root, "*.c", "-X", "*.h"],
        ["since", root, "n:cursor", "-p", "a"],
        ["subscribe", root, "s", {"fields": ["name"], "defer": ["x"], "drop": ["y"]}],
        ["flush-subscriptions", root, {"sync_timeout": 10, "subscriptions": ["s"]}],
        ["unsubscribe", root, "s"],
        ["state-enter", root, {"name": "x", "metadata": {"a": [1, None, 2.5]}}],
        ["state-leave", root, "x"],
        ["debug-set-subscriptions-paused", {"s": True}],
        ["debug-get-subscriptions", root],
        ["get-config", root],
        ["log", "debug", "text"],
        ["trigger-del", root, "t"],
        ["watch-list"],
    ]


def mutated(chance: random.Random, data: bytes, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, MAX_MUTATIONS)):
        at = chance.randrange(len(changed) + 1)
        to = min(len(changed), at + chance.choice((1, 1, 2, 4, 16, 64)))
        match chance.randrange(6):
            case 0:
                changed[at:to] = b""
            case 1:
                changed[at:at] = changed[at:to]
            case 2:
                changed[at:to] = chance.randbytes(to - at)
            case 3:
                changed[at:at] = chance.choice(INTERESTING)
            case 4:
                start = chance.randrange(len(other))
                changed[at:to] = other[start : start + chance.randint(1, 32)]
            case _ if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


class Batch(NamedTuple):
    requests: bytes
    """Each of them is complete, and gets a reply."""
    rest: bytes
    """A request whose end the server may wait for."""


def batches(chance: random.Random, root: str, count: int) -> Iterator[Batch]:
    """What each connection sends. Of BSER the length in the header is mostly right, so
    that the body is read."""
    sound = seeds(root)
    lines = [json.dumps(each).encode() for each in sound]
    binary = [ENCODINGS["bser"].encode(each) for each in sound]
    for start in range(0, count, BATCH):
        is_binary = start // BATCH % 2 == 0
        parts, rest = [], b""
        for _ in range(min(BATCH, count - start)):
            whole, other = chance.choices(binary if is_binary else lines, k=2)
            if chance.random() < 0.01:
                rest = mutated(chance, whole, other)
            elif is_binary:
                parts.append(_with_sound_header(chance, whole, other))
            else:
                # Otherwise the line could be the header of a long request in BSER.
                line = mutated(chance, whole, other).replace(b"\n\0", b"\n")
                parts.append(line.lstrip(b"\0") + b"\n")
        yield Batch(b"".join(parts), rest)


def _with_sound_header(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    head = 2 + {3: 2, 4: 3, 5: 5, 6: 9}[whole[2]]
    body = mutated(chance, whole[head:], other)
    length = b"\x05" + len(body).to_bytes(4, sys.byteorder, signed=True)
    return whole[:2] + length + body


def send(connected: socket.socket, batch: Batch) -> int:
    """Send a batch, read all replies, and leave; return the bytes that came."""
    connected.settimeout(PATIENCE)
    received = bytearray()
    try:
        connected.sendall(batch.requests + b'["get-pid"]\n')
        while b'"pid":' not in received[-REPLY_BYTES:]:
            piece = connected.recv(1 << 16)
            if not piece:
                return len(received)
            received += piece
        connected.sendall(batch.rest)
        connected.shutdown(socket.SHUT_WR)
        while piece := connected.recv(1 << 16):
            received += piece
    except (BrokenPipeError, ConnectionResetError):
        pass
    return len(received)


class Server:
    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ
        self.asker = Asker(connect_watchman(environ=environ), PATIENCE)
        self.pid = int(str(self.asker.ask("get-pid")["pid"]))

    def connect(self) -> socket.socket:
        return connect_watchman(start=False, environ=self._environ)

    def memory(self) -> int:
        """Bytes of its resident memory."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def answers(self, root: str) -> list[object]:
        """What must be the same at the end."""
        ask = self.asker.ask
        files = ask("query", root, {"fields": ["name", "size"]})["files"]
        assert isinstance(files, list)
        return [
            ask("version"),
            ask("list-capabilities"),
            ask("watch-list")["roots"],
            sorted(files, key=str),
            ask("debug-get-asserted-states", root)["states"],
            ask("debug-get-subscriptions", root)["subscriptions"],
        ]

    def is_alone(self) -> bool:
        """Nobody but us is there, and nothing is held for anybody."""
        status: Any = self.asker.ask("gamin-status")["status"]
        return len(status["clients"]) == 1 and status["held_bytes"] == 0


@contextmanager
def serving(place: Path) -> Iterator[Server]:
    environ = os.environ | {
        "GAM_CLIENT_ID": f"fuzz-{uuid.uuid4()}",
        "GAMIN_SOCKET_DIR": str(place),
        "GAMIN_STATE": "off",
        "HOME": str(place),
    }
    server = Server(environ)
    with server.asker:
        try:
            yield server
        finally:
            server.asker.write("gamin-stop")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def run(count: int, seed: int) -> int:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="fz-") as name:
        root = Path(name, "a", "root")
        (root / "sub").mkdir(parents=True)
        for number in range(20):
            (root / "sub" / f"{number}.c").write_text("x" * number)
        with serving(Path(name)) as server:
            return _run(server, str(root), chance, count)


def _run(server: Server, root: str, chance: random.Random, count: int) -> int:
    server.asker.ask("watch", root)
    before, began = server.answers(root), time.monotonic()
    warm, sent, came = 0, 0, 0
    for batch in batches(chance, root, count):
        with server.connect() as connected:
            came += send(connected, batch)
        sent += BATCH
        if not warm and sent >= count // WARM_SHARE:
            warm = server.memory()
    eventually(server.is_alone, deadline=PATIENCE, what="every account at zero")
    after, grown = server.answers(root), server.memory() - warm
    say(
        f"{count:,} requests in {time.monotonic() - began:.0f} s; {came:,} bytes of "
        f"answers; memory {server.memory() / 1e6:.1f} MB, {grown / 1e6:+.1f} since warm"
    )
    if after != before:
        say(f"the answers are others: {before} before, {after} after")
        return 1
    if grown > MAX_GROWTH:
        say("the server has grown")
        return 1
    return 0


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else COUNT
    seed = int(arguments[1]) if len(arguments) > 1 else 0
    return run(count, seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
