"""Publishing to a real NATS server and following it, through kills of every part."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

import gamin.fleet
from gamin.fleet import sequence
from gamin.fleet.connection import FleetError, connected, jetstream
from gamin.fleet.message import FleetEvent
from gamin.fleet.mirror import Mirror
from gamin.fleet.registry import fleet_state
from gamin.fleet.settings import Servers
from testkit.daemon import Daemon, daemon
from testkit.nats import NatsServer
from testkit.programs import COMMAND
from testkit.publishing import TREE, Published
from testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("nats")


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def served(session: str, tmp_path: Path) -> Iterator[Daemon]:
    with daemon(session, tmp_path / "server") as served:
        yield served


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path.resolve() / "tree"
    (tree / "directory").mkdir(parents=True)
    (tree / "directory" / "file").touch()
    (tree / os.fsdecode(b"odd \xff\nname")).touch()
    return tree


@contextmanager
def published(nats: NatsServer, served: Daemon, tree: Path) -> Iterator[Published]:
    publishing = Published(nats, served.folder, tree, served.environ)
    try:
        yield publishing
    finally:
        publishing.kill()


class Following:
    """Everything that a follower receives, and the picture that it has."""

    def __init__(self) -> None:
        self.events: list[FleetEvent] = []
        self.mirror = Mirror()

    async def until(self, nats: NatsServer, tree: Path) -> None:
        """Follow from the beginning until the picture equals the disk."""
        async with gamin.fleet.follow(nats.url, since="all") as follower:
            async for batch in follower:
                for event in batch:
                    self.events.append(event)
                    self.mirror.apply(event)
                if self.mirror.is_complete and set(self.mirror) == paths_in(tree):
                    return

    def run(self, nats: NatsServer, tree: Path) -> None:
        async def limited() -> None:
            async with asyncio.timeout(40):
                await self.until(nats, tree)

        with suppress(TimeoutError):
            asyncio.run(limited())
        assert set(self.mirror) == paths_in(tree)


def paths_in(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*")}


def test_a_follower_has_the_tree_and_every_change(
    nats: NatsServer, served: Daemon, tree: Path
) -> None:
    with published(nats, served, tree) as publishing:
        Following().run(nats, tree)
        (tree / "new").write_text("x")
        (tree / "directory").rename(tree / "renamed")
        following = Following()
        following.run(nats, tree)
        moved = [event for event in following.events if event.kind == "moved"]
        assert [(e.path, e.dest, e.is_dir) for e in moved] == [
            ("directory", "renamed", True)
        ]
        created = [event for event in following.events if event.kind == "created"]
        assert [(e.path, e.size is not None, e.host) for e in created] == [
            ("new", True, "web1")
        ]
        assert publishing.stop() == 0
        # A second publisher goes on where this one was, without a listing.
        (tree / "later").touch()
        publishing.start()
        again = Following()
        again.run(nats, tree)
        assert [e.kind for e in again.events].count("resync") == 1
        assert again.events[-1].path == "later"


def test_kills_of_nats_of_the_publisher_and_of_the_server_lose_nothing(
    nats: NatsServer, session: str, tmp_path: Path, tree: Path
) -> None:
    with ExitStack() as stack:
        served = stack.enter_context(daemon(session, tmp_path / "server"))
        publishing = stack.enter_context(published(nats, served, tree))
        Following().run(nats, tree)
        nats.kill()
        for number in range(200):
            (tree / f"nats-{number}").touch()
        nats.start()
        publishing.kill()
        for number in range(200):
            (tree / f"publisher-{number}").touch()
            (tree / f"nats-{number}").unlink()
        publishing.start()
        served.process.kill()
        for number in range(200):
            (tree / f"server-{number}").touch()
            (tree / f"publisher-{number}").rename(tree / f"moved-{number}")
        following = Following()
        following.run(nats, tree)
    sequences = [event.stream_sequence for event in following.events]
    assert sequences == sorted(set(sequences))


def test_a_durable_consumer_gets_what_it_was_given_and_did_not_finish(
    nats: NatsServer, served: Daemon, tree: Path
) -> None:
    """JetStream itself would give it the newer messages first, these in a minute."""

    async def batches(count: int) -> list[int]:
        """Stream positions; the last batch is not acknowledged."""
        found: list[int] = []
        async with (
            asyncio.timeout(40),
            gamin.fleet.follow(nats.url, since="all", durable="reader") as follower,
        ):
            async for batch in follower:
                found += [event.stream_sequence for event in batch]
                if len(found) >= count:
                    return found
        return found

    with published(nats, served, tree):
        Following().run(nats, tree)
        for number in range(600):
            (tree / f"file-{number}").touch()
        Following().run(nats, tree)
        first = asyncio.run(batches(1))
        again = asyncio.run(batches(603))
    assert first == list(range(1, len(first) + 1))
    assert again == list(range(1, 604))


def last_position(nats: NatsServer) -> int:
    return asyncio.run(fleet_state(Servers((nats.url,)), "GAMIN")).last


def test_what_the_stream_has_dropped_is_reported_as_missed(
    nats: NatsServer, served: Daemon, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "REPEATED_SECONDS", 0.0)

    async def follow_late() -> list[str]:
        kinds: list[str] = []
        async with (
            asyncio.timeout(40),
            gamin.fleet.follow(nats.url, since="all") as follower,
        ):
            async for batch in follower:
                kinds += [event.kind for event in batch]
                if "resynced" in kinds and "dropped" not in kinds:
                    await make_and_drop()
                    kinds.append("dropped")
                if batch[-1].path == "last":
                    break
        return kinds

    async def make_and_drop() -> None:
        for number in range(50):
            (tree / f"file-{number}").touch()
        await asyncio.to_thread(
            eventually, lambda: last_position(nats) == 53, what="the messages"
        )
        async with connected(Servers((nats.url,))) as connection:
            await jetstream(connection.client).purge_stream("GAMIN")
        (tree / "last").touch()

    with published(nats, served, tree):
        Following().run(nats, tree)
        kinds = asyncio.run(follow_late())
    assert kinds[-2:] == ["missed", "created"]


def test_the_commands_show_what_is_published(
    nats: NatsServer, served: Daemon, tree: Path
) -> None:
    def output(*words: str) -> str:
        done = subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with published(nats, served, tree):
        following = subprocess.Popen(
            [*COMMAND, "follow", "--since", "all", "--durable", "reader", nats.url],
            stdout=subprocess.PIPE,
            text=True,
        )
        with following, ExitStack() as stack:
            stack.callback(following.kill)
            assert following.stdout is not None
            assert following.stdout.readline() == f"web1:{TREE}\tresync\n"
            (tree / "new").touch()
            lines: list[str] = []
            while not lines or "created" not in lines[-1]:
                lines.append(following.stdout.readline())
            assert f"web1:{TREE}\texists\tdirectory/file\n" in lines
            assert f"web1:{TREE}\texists\todd \\udcff\\nname\n" in lines
            assert lines[-1] == f"web1:{TREE}\tcreated\tnew\n"
            eventually(
                lambda: "4 sent" in output("fleet", "status", nats.url), what="counts"
            )
            following.send_signal(signal.SIGTERM)
            assert following.wait(20) == 0
        text = output("fleet", "status", nats.url)
        assert "publisher   web1, seen " in text
        assert f"{TREE}  {tree}: " in text
        assert "consumer    reader: 0 pending" in text
        state = json.loads(output("fleet", "status", "--json", nats.url))
        assert state["publishers"][0]["trees"][0]["name"] == TREE


def test_a_follower_ends_with_a_clear_error_where_no_server_is() -> None:
    async def first() -> None:
        async with gamin.fleet.follow("nats://127.0.0.1:9") as follower:
            await anext(follower)

    with pytest.raises(FleetError, match="cannot be reached"):
        asyncio.run(first())


def test_a_publisher_waits_for_a_server_that_is_not_there_yet(
    nats: NatsServer, served: Daemon, tree: Path
) -> None:
    nats.kill()
    with published(nats, served, tree) as publishing:
        reason = f"{nats.url} cannot be reached: "
        eventually(lambda: reason in publishing.log.read_text(), what="the reason")
        nats.start()
        Following().run(nats, tree)
        assert publishing.stop() == 0
        log = publishing.log.read_text().splitlines()
    assert [reason in line for line in log] == [True, False]
    assert log[1].endswith("connected to NATS")


def test_without_the_library_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['nats'] = None\n"
        "from gamin.cli.main import main\n"
        "sys.exit(main(['fleet', 'status', 'nats://localhost']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'gamin[fleet]'" in done.stderr
