"""Publishing and following show or pass on any name that a file can have."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from gamin.fleet.connection import FleetError
from gamin.fleet.registry import fleet_state
from gamin.fleet.settings import Servers
from testkit.daemon import daemon
from testkit.hostile_names import ACTING, NASTY, deep_path, path_in, paths_in
from testkit.nats import NatsServer
from testkit.programs import COMMAND
from testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("nats")


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def env(session: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    with daemon(session, tmp_path / "server") as served:
        yield {**os.environ, **served.environ, "LC_ALL": "C.UTF-8"}


def has_messages(nats: NatsServer) -> bool:
    try:
        return asyncio.run(fleet_state(Servers((nats.url,)), "GAMIN")).last > 0
    except FleetError:
        return False  # no stream yet


def test_the_commands_pass_on_any_name_and_show_it_escaped(
    nats: NatsServer, env: dict[str, str], tmp_path: Path
) -> None:
    tree = path_in(tmp_path.resolve(), NASTY)
    early, late = os.path.join(tree, b"early"), os.path.join(tree, b"late")
    os.makedirs(early)
    os.mkdir(late)
    listed = paths_in(Path(os.fsdecode(early)))
    for path in listed:
        os.mkdir(path)
    deepest = deep_path(Path(os.fsdecode(tree)), 4095)
    created = [*paths_in(Path(os.fsdecode(late))), deepest]
    relative = {path.removeprefix(tree + b"/") for path in [*listed, *created]}
    publish = ["publish", "--to", nats.url, "--as", "web1"]
    follow = ["follow", nats.url, "--since", "all"]
    with ExitStack() as stack:

        def started(*words: str | bytes) -> IO[bytes]:
            command = [*COMMAND, *words]
            process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            return process.stdout

        def output(*words: str) -> bytes:
            command = [*COMMAND, *words]
            return subprocess.run(command, capture_output=True, check=True).stdout

        started(*publish, tree)
        eventually(lambda: has_messages(nats), what="the listing")
        found = set[bytes]()
        lines = started(*follow, "--json")
        while not relative <= found:
            event = json.loads(lines.readline())
            if event["kind"] == "resynced":
                for path in created:
                    os.mkdir(path)
            names = [event.get("path", ""), *map(path_of, event.get("entries", ()))]
            found |= set(map(os.fsencode, filter(None, names)))
        text = started(*follow)
        shown = [text.readline() for _ in range(len(found) + 2)]
        fields = started(*follow, "--format", "{host} {kind} {path}")
        shown += [fields.readline() for _ in range(len(found) + 2)]
        status = output("fleet", "status", nats.url)
        state = json.loads(output("fleet", "status", "--json", nats.url))
    assert {line.split()[0].split(b":")[0] for line in shown} == {b"web1"}
    for line in [*shown, *status.splitlines()]:
        assert not set(line.removesuffix(b"\n")) & ACTING
        assert "\u202e" not in line.decode()
    (publisher,) = state["publishers"]
    assert [os.fsencode(each["path"]) for each in publisher["trees"]] == [tree]


def path_of(entry: dict[str, Any]) -> str:
    path: str = entry["path"]
    return path
