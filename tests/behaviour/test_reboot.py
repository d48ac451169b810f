"""What was known before a reboot is the base of an exact difference after it.

The next server of these tests runs as after a reboot: the kernel gives the boot another
id, and the monotonic clock starts again, so it shows less than before.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

import gamin
from gamin.client.connect import connect_gam
from gamin.protocol.gam.packets import (
    NO_EXISTS,
    EventCode,
    Packet,
    PacketReader,
    RequestCode,
)
from gamin.state.client_store import ClientStore
from gamin.state.place import Place
from gamin.state.store import Store
from gamin.system.process_identity import identity_of, is_running
from testkit.remembering import until_saved
from testkit.waiting import PACE, eventually
from testkit.watches import (
    SOON,
    aged,
    changed,
    created,
    deleted,
    signal_server,
)

AFTER_A_REBOOT = """
import os, sys, time
from gamin.system import process_identity

real, began = time.monotonic_ns, time.monotonic_ns()
time.monotonic_ns = lambda: real() - began
time.monotonic = lambda: time.monotonic_ns() / 1e9
process_identity._boot = lambda: b"another-boot"
with open(sys.argv.pop(1), "wb") as seen:
    seen.write(b"%d\\n" % time.monotonic_ns())
    seen.write(process_identity.identity_of(os.getppid()))

from gamin.daemon.process.start import main

sys.exit(main())
"""


pytestmark = pytest.mark.usefixtures("state")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    for number in range(20):
        (tree / "deep" / str(number)).touch()
    aged(*tree.glob("*/*"))
    return tree


@pytest.fixture
def rebooted(tmp_path: Path) -> Path:
    """A server that runs after a reboot; it says beside it what it sees."""
    script, program = tmp_path / "rebooted.py", tmp_path / "rebooted"
    script.write_text(AFTER_A_REBOOT)
    seen = program.with_suffix(".seen")
    command = f"exec '{sys.executable}' -P '{script}' '{seen}' \"$@\""
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    return program


def reboot(rebooted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMIN_DEBUG_SERVER", str(rebooted))


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"]
)
def test_exactly_what_changed_is_reported_after_a_reboot(
    tree: Path,
    state: Path,
    rebooted: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: signal.Signals,
) -> None:
    with gamin.watch(tree, timeout=SOON) as watch:
        clock = watch.clock
    assert clock is not None
    gamin.changes(tree, since="n:backup")
    if how is signal.SIGKILL:
        until_saved(state, clock)
    signal_server(how, ends=True)
    before_ns = time.monotonic_ns()
    (tree / "deep/1").write_text("text")
    (tree / "deep/2").unlink()
    (tree / "deep/3").rename(tree / "three")
    (tree / "new").mkdir()
    reboot(rebooted, monkeypatch)
    expected = [
        changed(tree / "deep/1"),
        deleted(tree / "deep/2"),
        deleted(tree / "deep/3"),
        created(tree / "three"),
        created(tree / "new", is_dir=True),
    ]
    reported, later = gamin.changes(tree, since=clock)
    assert sorted(reported, key=str) == sorted(expected, key=str)
    monotonic_ns, identity = rebooted.with_suffix(".seen").read_bytes().split(b"\n")
    assert int(monotonic_ns) < before_ns
    assert not is_running(identity), "no process of before the reboot"
    if how is signal.SIGTERM:  # a name is saved at the end
        named, _ = gamin.changes(tree, since="n:backup")
        assert sorted(named, key=str) == sorted(expected, key=str)
    signal_server(signal.SIGTERM, ends=True)
    (tree / "deep/4").unlink()
    assert gamin.changes(tree, since=later)[0] == [deleted(tree / "deep/4")]


def requested(tree: Path, options: int = 0) -> socket.socket:
    """A connection that watches the tree, as libgamin does."""
    connected = connect_gam()
    connected.settimeout(SOON)
    request = Packet(1, RequestCode.DIRECTORY | options, os.fsencode(tree))
    connected.sendall(request.encode())
    return connected


def packets(
    connected: socket.socket, reader: PacketReader
) -> Iterator[tuple[EventCode, str]]:
    while True:
        for packet in reader.feed(connected.recv(1 << 16)):
            yield EventCode(packet.type), os.fsdecode(packet.path)


@pytest.mark.parametrize("is_rebooted", [False, True], ids=["same boot", "reboot"])
def test_no_process_after_a_reboot_is_taken_for_one_from_before(
    tree: Path,
    state: Path,
    session: str,
    rebooted: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_rebooted: bool,
) -> None:
    """A number and a time of start since the boot may occur again."""
    store = ClientStore(Store(Place(bytes(state), session.encode(), os.getuid())))
    with requested(tree / "deep") as connected:
        listing = packets(connected, PacketReader())
        assert any(code == EventCode.END_EXIST for code, _ in listing)
        eventually(lambda: store.of_process(identity_of(os.getpid())))
        signal_server(signal.SIGTERM, ends=True)
    (tree / "deep/between").touch()
    if is_rebooted:
        reboot(rebooted, monkeypatch)
    names: set[str] = set()
    with requested(tree / "deep", NO_EXISTS) as connected:
        connected.settimeout(PACE)
        reader = PacketReader()

        def has_reported(name: str) -> bool:
            with suppress(TimeoutError):
                names.update(name for _, name in packets(connected, reader))
            return name in names

        # Nothing says when the server has begun to watch.
        for number in count():
            (tree / "deep" / f"later {number}").touch()
            if has_reported(f"later {number}"):
                break
        (tree / "deep/last").touch()
        eventually(lambda: has_reported("last"))
    assert ("between" in names) is not is_rebooted
