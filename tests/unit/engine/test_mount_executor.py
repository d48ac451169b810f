"""What a distant mount's thread finds, on a disk in memory whose calls may last."""

import errno

import pytest

from gamin.config.mounts import Mount
from gamin.core.effects import Scan
from gamin.core.model.node import Node
from gamin.engine.mount_executor import STALLED_SECONDS
from gamin.engine.proxy import Batch, Failed, Listed, Observed, Proxy, Request, Wanted
from gamin.events import CREATE, DELETE
from testkit.doubles.disk import error
from testkit.doubles.engine import Shell

MOUNT = Mount(b"/", "nfs")


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.touch(b"/old")
    return shell


class Thread:
    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.executor = shell._mount_executor(b"/")
        self.node = Node(None, b"")
        self.node.poll_mask = CREATE | DELETE
        self.node.interval = 1.0
        self.proxy = Proxy(self.node, MOUNT)

    def scan(self) -> Batch:
        wanted = Wanted.of(self.node, self.proxy)
        work = Scan(self.node, None)
        return self.executor.turn([Request(self.proxy, work, wanted, b"/")])

    def later(self) -> Batch:
        self.shell.now += 2
        return self.executor.turn([])


@pytest.fixture
def thread(shell: Shell) -> Thread:
    return Thread(shell)


def test_a_scan_is_answered_by_a_listing(thread: Thread) -> None:
    [listed] = thread.scan()
    assert isinstance(listed, Listed)
    assert listed.others == [b"old"]


def test_a_directory_that_is_not_there_is_an_error_of_its_path(thread: Thread) -> None:
    thread.proxy.where = b"/none"
    wanted = Wanted.of(thread.node, thread.proxy)._replace(path=b"/none")
    request = Request(thread.proxy, Scan(thread.node, None), wanted, b"/none")
    [failed] = thread.executor.turn([request])
    assert isinstance(failed, Failed)
    assert not thread.executor.trouble


def test_a_look_that_was_answered_soon_reports_changes(
    shell: Shell, thread: Thread
) -> None:
    thread.scan()
    shell.disk.touch(b"/new")
    [observed] = thread.later()
    assert isinstance(observed, Observed)
    assert [change.name for change in observed.changes] == [b"new"]


def test_a_mount_that_gives_errors_while_it_is_polled_has_trouble(
    shell: Shell, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread.scan()

    def fails(path: bytes) -> None:
        raise error(errno.ENOTCONN, path)

    for call in ("listing", "inode", "directory"):
        monkeypatch.setattr(shell.disk, call, fails)
    assert thread.later() == []
    assert thread.executor.trouble
    monkeypatch.undo()
    [listed] = thread.later()
    assert isinstance(listed, Listed)
    assert not thread.executor.trouble


def test_what_a_look_finds_that_hung_is_found_by_a_scan_after_a_loss(
    shell: Shell, thread: Thread
) -> None:
    thread.scan()
    shell.disk.touch(b"/new")

    def hang() -> None:
        assert thread.executor.call_since is not None
        shell.now += STALLED_SECONDS

    shell.meanwhile = hang
    assert thread.later() == []
    shell.meanwhile = lambda: None
    [listed] = thread.later()
    assert isinstance(listed, Listed)
    assert isinstance(listed.request.work, Scan)
    assert listed.request.work.changed_since_ns > 0
    assert b"new" in listed.others
