"""Real threads on a real directory, as if it were on a distant mount."""

import errno
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import pytest

from gamin.config.mounts import Mount
from gamin.core.effects import Probe, Scan
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.process.mount_threads import BUG, MountThreads
from gamin.engine import mount_executor
from gamin.engine.mount_executor import MountExecutor
from gamin.engine.proxy import Answer, Listed, Observed, Probed, Proxy, Request, Wanted
from gamin.events import CREATE, DELETE
from gamin.system import filesystem
from testkit.descriptors import no_descriptor_is_left_open, no_free_descriptor
from testkit.no_threads import no_thread_can_start
from testkit.waiting import eventually


@pytest.fixture
def later() -> list[Callable[[], None]]:
    """What is to be called later."""
    return []


@pytest.fixture
def threads(later: list[Callable[[], None]]) -> Iterator[MountThreads]:
    threads = MountThreads(lambda _, call: later.append(call))
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


@pytest.mark.parametrize("lack", [no_thread_can_start, no_free_descriptor])
def test_a_mount_whose_thread_cannot_start_is_stalled_and_answers_later(
    threads: MountThreads,
    later: list[Callable[[], None]],
    tmp_path: Path,
    lack: Callable[[], AbstractContextManager[None]],
) -> None:
    mount, request = scan_of(tmp_path)
    with no_descriptor_is_left_open(), lack():
        threads.send(mount, request)
        later.pop()()
    assert threads.is_stalled(mount)
    later.pop()()
    [listed] = answers(threads)
    assert isinstance(listed, Listed)
    assert not threads.is_stalled(mount)
    assert not later


def test_a_thread_that_was_ended_before_it_could_start_is_not_started(
    threads: MountThreads, later: list[Callable[[], None]], tmp_path: Path
) -> None:
    mount, request = scan_of(tmp_path)
    with no_thread_can_start():
        threads.send(mount, request)
    threads.end(mount)
    with no_descriptor_is_left_open():
        later.pop()()
    assert not later


def test_a_mount_whose_thread_died_of_a_bug_is_stalled(
    threads: MountThreads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: MountExecutor, requests: list[Request]) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(MountExecutor, "turn", fails)
    mount, request = scan_of(tmp_path)
    threads.send(mount, request)
    eventually(lambda: threads.is_stalled(mount), what="the bug")
    [stalled] = threads.stalled()
    assert (stalled.point, stalled.reason) == (bytes(tmp_path), BUG)


class Poll:
    """A poll() that remembers how many descriptors were waited for last."""

    last: int

    def __init__(self) -> None:
        self._poll = POLL()
        self._descriptors: set[int] = set()

    def register(self, descriptor: int, mask: int) -> None:
        self._descriptors.add(descriptor)
        self._poll.register(descriptor, mask)

    def unregister(self, descriptor: int) -> None:
        self._descriptors.remove(descriptor)
        self._poll.unregister(descriptor)

    def poll(self, wait: float | None) -> object:
        Poll.last = len(self._descriptors)
        return self._poll.poll(wait)


POLL = select.poll


def test_while_a_mount_is_down_its_kernel_events_wake_nobody(
    threads: MountThreads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: bytes, changed_since_ns: int) -> NoReturn:
        raise OSError(errno.ENOTCONN, "not connected")

    monkeypatch.setattr(select, "poll", Poll)
    monkeypatch.setattr(mount_executor, "RETRY_SECONDS", 0.01)
    mount, request = scan_of(tmp_path)
    threads.send(mount, request)
    answers(threads)
    assert Poll.last == 2
    with monkeypatch.context() as down:
        down.setattr(filesystem, "scan", fails)
        threads.send(mount, request)
        eventually(lambda: Poll.last == 1, what="a thread that waits for the retry")
    eventually(lambda: Poll.last == 2, what="a thread that waits for the kernel")
