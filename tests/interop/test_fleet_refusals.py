"""What NATS refuses: strangers, other certificates, a full stream, a foreign stream."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import gamin.fleet
from gamin.fleet.connection import FleetError, connected, ensure_stream, jetstream
from gamin.fleet.registry import fleet_state
from gamin.fleet.settings import Servers
from testkit.daemon import Daemon, daemon
from testkit.nats import NatsServer
from testkit.nats_accounts import write_accounts
from testkit.programs import COMMAND
from testkit.publishing import Published
from testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("nats")


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    """Not started: a test says how."""
    server = NatsServer(tmp_path / "nats")
    yield server
    server.kill()


@pytest.fixture
def served(session: str, tmp_path: Path) -> Iterator[Daemon]:
    with daemon(session, tmp_path / "server") as served:
        yield served


def stream_can_be_made(servers: Servers) -> bool:
    """Raises FleetError."""

    async def make() -> None:
        async with connected(servers) as nats:
            await ensure_stream(jetstream(nats.client), "GAMIN")

    asyncio.run(make())
    return True


def test_only_a_user_with_credentials_is_let_in(
    nats: NatsServer, tmp_path: Path
) -> None:
    configuration, credentials = write_accounts(tmp_path)
    nats.start(["-c", str(configuration)])
    assert stream_can_be_made(Servers((nats.url,), str(credentials)))
    with pytest.raises(FleetError, match="Authorization Violation"):
        stream_can_be_made(Servers((nats.url,)))
    done = subprocess.run(
        [*COMMAND, "publish", "--to", nats.url, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "Authorization Violation" in done.stderr


@pytest.mark.parametrize("text", [None, "", "no credentials\n", "\xff"])
def test_a_credentials_file_that_is_none_is_named_in_the_error(
    nats: NatsServer, tmp_path: Path, text: str | None
) -> None:
    nats.start(["-c", str(write_accounts(tmp_path)[0])])
    file = tmp_path / "mine.creds"
    if text is not None:
        file.write_text(text)
    with pytest.raises(FleetError, match=r"mine\.creds"):
        stream_can_be_made(Servers((nats.url,), str(file)))


def make_certificates(folder: Path) -> None:
    """An authority `ca.pem`, and `server.pem` with `server.key` for 127.0.0.1."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    key = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    for words in (
        f"req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem -days 2",
        f"req {key} -subj /CN=nats -keyout server.key -out request",
        "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial"
        " -out server.pem -days 2 -extfile names",
    ):
        command = ["openssl", *words.split()]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_server_is_believed_only_with_a_certificate_of_the_given_authority(
    nats: NatsServer, tmp_path: Path
) -> None:
    make_certificates(tmp_path)
    certificate = ["--tlscert", str(tmp_path / "server.pem")]
    nats.start(["--tls", *certificate, "--tlskey", str(tmp_path / "server.key")])
    url = nats.url.replace("nats:", "tls:")
    assert stream_can_be_made(Servers((url,), tls_ca=str(tmp_path / "ca.pem")))
    with pytest.raises(FleetError, match="certificate"):
        stream_can_be_made(Servers((url,)))
    with pytest.raises(FleetError, match=r"ca\.key"):
        stream_can_be_made(Servers((url,), tls_ca=str(tmp_path / "ca.key")))


def change_stream(nats: NatsServer, **settings: Any) -> None:
    """Make the stream with these settings, or give them to the one that is there."""
    from nats.js.errors import BadRequestError

    async def change() -> None:
        async with connected(Servers((nats.url,))) as connection:
            context = jetstream(connection.client)
            try:
                await context.add_stream(name="GAMIN", **settings)
            except BadRequestError:
                await context.update_stream(name="GAMIN", **settings)

    asyncio.run(change())


def stored(nats: NatsServer) -> int:
    return asyncio.run(fleet_state(Servers((nats.url,)), "GAMIN")).last


@pytest.mark.parametrize(
    ("refusing", "taking", "reason"),
    [
        (
            {"subjects": ["gamin.>"], "max_msgs": 10, "discard": "new"},
            {"subjects": ["gamin.>"], "max_msgs": -1, "discard": "new"},
            "maximum messages exceeded",
        ),
        (
            {"subjects": ["other.>"]},
            {"subjects": ["gamin.>"]},
            "no stream takes its subject",
        ),
    ],
    ids=["full", "foreign"],
)
def test_what_a_stream_refuses_is_logged_and_sent_when_it_takes_it(
    nats: NatsServer,
    served: Daemon,
    tmp_path: Path,
    refusing: dict[str, Any],
    taking: dict[str, Any],
    reason: str,
) -> None:
    nats.start()
    tree = tmp_path / "tree"
    tree.mkdir()
    change_stream(nats, **refusing)
    with ExitStack() as stack:
        publishing = Published(nats, served.folder, tree, served.environ)
        stack.callback(publishing.kill)
        if reason.startswith("maximum"):
            eventually(lambda: stored(nats) == 2, what="the listing")
        for number in range(50):
            (tree / f"file-{number}").touch()
        eventually(lambda: reason in publishing.log.read_text(), what="the reason")
        change_stream(nats, **taking)
        eventually(lambda: stored(nats) >= 3, what="the rest")

        def paths() -> set[str]:
            return set(followed(nats))

        expected = {f"file-{number}" for number in range(50)}
        eventually(lambda: paths() >= expected, what="every change")


def followed(nats: NatsServer) -> list[str]:
    """The paths of a picture that is made of all messages so far."""
    mirror = gamin.fleet.Mirror()

    async def follow() -> None:
        last = (await fleet_state(Servers((nats.url,)), "GAMIN")).last
        async with gamin.fleet.follow(nats.url, since="all") as batches:
            async for batch in batches:
                for event in batch:
                    mirror.apply(event)
                if batch[-1].stream_sequence >= last:
                    return

    asyncio.run(follow())
    return list(mirror)
