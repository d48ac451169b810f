"""Real threads on a real directory, as if it were on a distant mount."""

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.config.mounts import Mount
from gamin.core.effects import Probe, Scan
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.process.mount_threads import MountThreads
from gamin.engine.proxy import Answer, Listed, Observed, Probed, Proxy, Request, Wanted
from gamin.events import CREATE, DELETE


@pytest.fixture
def threads() -> Iterator[MountThreads]:
    threads = MountThreads()
    yield threads
    threads.close()


def answers(threads: MountThreads) -> list[Answer]:
    ready, _, _ = select.select([threads], [], [], 20)
    assert ready
    return [answer for _, batch in threads.take() for answer in batch]


def scan_of(folder: Path) -> tuple[Mount, Request]:
    mount = Mount(bytes(folder), "nfs")
    node = Node(None, b"")
    node.prefix = bytes(folder) + b"/"
    node.kernel_mask = CREATE | DELETE
    proxy = Proxy(node, mount)
    wanted = Wanted.of(node, proxy)
    return mount, Request(proxy, Scan(node, None), wanted, bytes(folder))


def test_a_scan_is_answered_and_changes_follow(
    threads: MountThreads, tmp_path: Path
) -> None:
    mount, request = scan_of(tmp_path)
    threads.send(mount, request)
    [listed] = answers(threads)
    assert isinstance(listed, Listed)
    (tmp_path / "new").touch()
    [observed] = answers(threads)
    assert isinstance(observed, Observed)
    assert observed.changes[0].name == b"new"
    assert threads.stalled() == []


def test_a_probe_is_answered(threads: MountThreads, tmp_path: Path) -> None:
    mount, scan = scan_of(tmp_path)
    node = scan.proxy.real
    subscription = Subscription(None, 0, bytes(tmp_path), Scope.FILE)
    work = Probe(subscription, node, b"none")
    threads.send(mount, Request(scan.proxy, work, None, bytes(tmp_path / "none")))
    [probed] = answers(threads)
    assert isinstance(probed, Probed)
    assert probed.found is None


def test_the_answers_of_a_thread_that_was_ended_are_dropped(
    threads: MountThreads, tmp_path: Path
) -> None:
    mount, request = scan_of(tmp_path)
    threads.send(mount, request)
    select.select([threads], [], [], 20)
    threads.end(mount)
    assert threads.take() == []
