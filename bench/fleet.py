"""Publishing to NATS JetStream, beside nats-py alone: `python -m bench.fleet`.

    python -m bench.fleet [--files N] [ACT…]

throughput  messages a second that the stream stores: nats-py alone with windowed
            acknowledgements, then `gamin publish` that catches up; by the stream's own
            times, and the CPU of the sending process for each message
lag         from a change to a follower, beside `gamin.watch` and a bare round trip
outage      NATS is stopped while files change: what publisher and server grow by, and
            how long after its return the stream has everything
many        100 publishers in one process: what a message costs the NATS server
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import gamin
import gamin.fleet
from bench import measure
from gamin.fleet import connection, message
from gamin.fleet.settings import Servers
from testkit.daemon import Daemon, daemon
from testkit.nats import NatsServer
from testkit.waiting import eventually

PATIENCE = 120.0
WINDOW = 1024
"""Messages of the raw run that may wait for their acknowledgement."""
PINGS = 200
PUBLISHERS = 100
STATUS = message.Status(4096, 10**18, 12345)
BODY = 460
"""Bytes of a message of the raw run: what a message of ours has."""


class Bench:
    """One NATS server, one gamin server, and one tree."""

    def __init__(self, place: Path, served: Daemon, nats: NatsServer) -> None:
        self.tree = place / "tree"
        self.tree.mkdir()
        self.served = served
        self.nats = nats
        self._environ = {**os.environ, **served.environ}

    @contextmanager
    def publisher(self) -> Iterator["subprocess.Popen[bytes]"]:
        """`gamin publish` of the tree, until the end of the block."""
        command = [sys.executable, "-m", "gamin", "publish", "--to", self.nats.url]
        process = subprocess.Popen(
            [*command, "--as", "bench", str(self.tree)],
            env=self._environ,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)

    def ask(self, question: Callable[[Any], Any], **options: Any) -> Any:
        """What `question` returns of a JetStream context that has the options."""

        async def answer() -> Any:
            async with connection.connected(Servers((self.nats.url,))) as each:
                return await question(each.client.jetstream(**options))

        return asyncio.run(answer())

    def last(self, stream: str = "GAMIN") -> int:
        """The position of the last message of the stream; 0 without a stream."""
        from nats.js.errors import NotFoundError

        async def position(context: Any) -> int:
            try:
                return int((await context.stream_info(stream)).state.last_seq)
            except NotFoundError:
                return 0

        found = self.ask(position)
        assert isinstance(found, int)
        return found

    def has(self, position: int) -> None:
        """Wait until the stream has so many messages."""
        eventually(lambda: self.last() >= position, PATIENCE, f"message {position}")

    def rate(self, stream: str, first: int, last: int) -> float:
        """Messages a second between two messages, by the times that the stream gave."""

        async def times(context: Any) -> list[datetime]:
            found = [await context.get_msg(stream, seq=each) for each in (first, last)]
            return [each.time for each in found]

        began, ended = self.ask(times)
        return (last - first) / float((ended - began).total_seconds())

    def make_files(self, count: int, start: int = 0) -> None:
        for number in range(start, start + count):
            folder = self.tree / f"folder-{number // 1000}"
            if number % 1000 == 0:
                folder.mkdir(exist_ok=True)
            (folder / f"file-{number:06}").write_bytes(b"")


def throughput(bench: Bench, files: int) -> None:
    spent = time.process_time()
    bench.ask(
        lambda context: _send_raw(context, files), publish_async_max_pending=WINDOW
    )
    spent = time.process_time() - spent
    raw = bench.rate("RAW", 1, files)
    print(f"nats-py alone: {raw:,.0f} msgs/s, {spent / files * 1e6:.1f} µs of CPU each")
    with bench.publisher():
        bench.has(2)  # the listing of an empty tree
    first = bench.last() + 1
    bench.make_files(files)
    with bench.publisher() as process:
        bench.has(first)
        began = measure.cpu(process.pid)
        before = bench.last()
        bench.has(first + files - 1)
        ended, after = measure.cpu(process.pid), bench.last()
    ours = bench.rate("GAMIN", first, after)
    each = (ended - began) / max(1, after - before) * 1e6
    print(f"gamin publish: {ours:,.0f} msgs/s, {each:.1f} µs of CPU each")
    print(f"of nats-py alone: {ours / raw:.0%}")


async def _send_raw(context: Any, count: int) -> None:
    await context.add_stream(name="RAW", subjects=["raw.>"])
    body = b"x" * BODY
    sent = [
        await context.publish_async(
            "raw.a", body, stream="RAW", headers={"Nats-Msg-Id": str(number)}
        )
        for number in range(count)
    ]
    for each in sent:
        await each


def lag(bench: Bench, files: int) -> None:
    with bench.publisher():
        bench.has(2)
        watched, followed, trips = asyncio.run(_lags(bench, bench.last()))
    for name, times in (
        ("gamin.watch", watched),
        ("nats-py round trip", trips),
        ("follower", followed),
    ):
        most = quantiles(times, n=100)[98]
        print(f"{name}: median {median(times):.2f} ms, 99 % {most:.2f} ms")
    base = median(watched) + median(trips)
    print(f"follower / (watch + round trip): {median(followed) / base:.2f}")


async def _lags(
    bench: Bench, position: int
) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each ping: to a watch, to a follower, and of a round trip.

    Every message up to `position` is from before.
    """

    async def echo(asked: Any) -> None:
        await asked.respond(b"")

    watched, followed, trips = list[float](), list[float](), list[float]()
    os.environ.update(bench.served.environ)
    async with (
        connection.connected(Servers((bench.nats.url,))) as nats,
        gamin.awatch(bench.tree) as watch,
        gamin.fleet.follow(bench.nats.url, since="all") as batches,
    ):
        await nats.client.subscribe("echo", cb=echo)
        follower = aiter(batches)
        while (await anext(follower))[-1].stream_sequence < position:
            pass
        for number in range(PINGS):
            began = time.perf_counter()
            (bench.tree / f"ping-{number}").mkdir()
            heard = asyncio.create_task(_until_heard(follower))
            await watch.next()
            watched.append((time.perf_counter() - began) * 1e3)
            await heard
            followed.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            await nats.client.request("echo")
            trips.append((time.perf_counter() - began) * 1e3)
            await asyncio.sleep(0.02)  # quiet between two changes
    return watched, followed, trips


async def _until_heard(follower: Any) -> None:
    await anext(follower)


def outage(bench: Bench, files: int) -> None:
    bench.make_files(files)
    with bench.publisher() as process:
        bench.has(2)
        eventually(lambda: _is_complete(bench), PATIENCE, "the listing")
        server = bench.served.process.pid
        before = [measure.memory(pid) for pid in (process.pid, server)]
        listed = bench.last()
        bench.nats.kill()
        for path in bench.tree.glob("*/file-*"):
            path.write_bytes(b"changed")
        eventually(lambda: _is_idle(server), PATIENCE, "an idle server")
        after = [measure.memory(pid) for pid in (process.pid, server)]
        bench.nats.start()
        began = time.monotonic()
        bench.has(listed + files)
        took = time.monotonic() - began
        at_end = [measure.memory(pid) for pid in (process.pid, server)]
    for name, was, now, end in zip(
        ("publisher", "server"), before, after, at_end, strict=True
    ):
        grown, at_last = (now - was) / 2**20, (end - was) / 2**20
        print(f"{name}: {grown:+.1f} MiB while away, {at_last:+.1f} MiB at the end")
    print(f"{files:,} changes are in the stream {took:.1f} s after the return")


def _is_complete(bench: Bench) -> bool:
    async def kind(context: Any) -> str:
        info = await context.stream_info("GAMIN")
        return str((await context.get_msg("GAMIN", seq=info.state.last_seq)).subject)

    return str(bench.ask(kind)).endswith(message.RESYNCED)


def _is_idle(pid: int) -> bool:
    before = measure.cpu(pid)
    time.sleep(0.5)
    return measure.cpu(pid) - before < 0.02


def many(bench: Bench, files: int) -> None:
    server = bench.nats.pid
    before, began = measure.cpu(server), time.monotonic()
    stored = asyncio.run(_send_from_many(bench, files // PUBLISHERS))
    took, spent = time.monotonic() - began, measure.cpu(server) - before
    count = files // PUBLISHERS * PUBLISHERS
    print(
        f"{PUBLISHERS} publishers: {count / took:,.0f} msgs/s, NATS server "
        f"{spent / count * 1e6:.1f} µs of CPU and {stored / count:.0f} bytes each, "
        f"{measure.memory(server) / 2**20:.0f} MiB"
    )


async def _send_from_many(bench: Bench, each: int) -> int:
    """Bytes of the stream afterwards."""

    async def send(host: str) -> None:
        place = message.Place(host, "data")
        numbering = gamin.fleet.sequence.Numbering()
        async with connection.connected(Servers((bench.nats.url,))) as nats:
            context = connection.jetstream(nats.client)
            sent = []
            for number in range(each):
                path = f"folder-{number // 100}/file-{number:06}"
                content = message.Content("changed", path, status=STATUS)
                body = message.encode(
                    *(place, content),
                    number=numbering.next(),
                    clock="c:1700000000:1234:5:6789",
                    time=message.timestamp(datetime.now(UTC)),
                    labels={},
                )
                headers = {"Nats-Msg-Id": f"{host}/{number}"}
                subject = place.subject("changed")
                sent.append(await context.publish_async(subject, body, headers=headers))
            for future in sent:
                await future

    async with connection.connected(Servers((bench.nats.url,))) as nats:
        context = connection.jetstream(nats.client)
        await connection.ensure_stream(context, "GAMIN")
        async with asyncio.TaskGroup() as group:
            for number in range(PUBLISHERS):
                group.create_task(send(f"host{number}"))
        return int((await context.stream_info("GAMIN")).state.bytes)


ACTS = {act.__name__: act for act in (throughput, lag, outage, many)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("acts", nargs="*", metavar="ACT", help=", ".join(ACTS))
    args = parser.parse_args()
    if unknown := set(args.acts) - ACTS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(ACTS)}")
    for name in args.acts or ACTS:
        print(f"-- {name}", flush=True)
        with tempfile.TemporaryDirectory(dir="/tmp") as place:
            nats = NatsServer(Path(place, "nats"))
            nats.start()
            try:
                session, home = f"bench-{os.getpid()}", Path(place, "server")
                # Else it ends while files are made, and another one is measured.
                with daemon(session, home, "--notimeout") as served:
                    ACTS[name](Bench(Path(place), served, nats), args.files)
            finally:
                nats.kill()


if __name__ == "__main__":
    main()
