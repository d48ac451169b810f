"""Errors of single paths on a file system that lives: what is known there stays."""

import errno
from collections.abc import Callable

import pytest

from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.model.subscription import Scope
from gamin.engine.mount_executor import STALLED_SECONDS
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words

LOCAL = Mount(b"/", "ext4", id=b"1")
NET = Mount(b"/d", "nfs", id=b"2", parent=b"1")

WAYS: dict[str, Callable[[], Shell]] = {
    "watched by the kernel": Shell,
    "polled": lambda: Shell(plain_policy(poll_only=True), has_kernel=False),
    "distant": lambda: Shell(Policy((), Mounts([LOCAL, NET]))),
}

PASSING = [
    (way, number)
    for way in WAYS
    for number in (errno.EIO, errno.ESTALE, errno.EHOSTDOWN, errno.ENOTCONN)
] + [("distant", errno.EACCES)]


class Clients:
    """One for each kind of request; `/d/sub` is about to give errors."""

    def __init__(self, way: str) -> None:
        self.shell = shell = WAYS[way]()
        shell.disk.makedirs(b"/d/sub/inner")
        for name in (b"/d/beside", b"/d/sub/f", b"/d/sub/inner/g"):
            shell.disk.touch(name)
        self.tree = self._following(shell.view(), b"/d", Scope.TREE)
        self.others = [
            self._following(shell.v1(), b"/d/sub/f", Scope.FILE),
            self._following(shell.v1(), b"/d/sub/inner", Scope.DIRECTORY),
            self._following(shell.view(), b"/d/sub/inner", Scope.TREE),
        ]
        self.rows()

    def _following(self, client: Client, path: bytes, scope: Scope) -> Client:
        client.subscribe(path, scope)
        self.sleep(1)
        return client

    def sleep(self, seconds: int) -> None:
        for _ in range(seconds):
            self.shell.sleep(1)
            self.shell.answer()

    def lose(self) -> None:
        """Something may have been missed, so everything is looked at again."""
        self.shell.monitor.work_failed(self.shell.now)
        for executor in self.shell.threads.executors.values():
            executor._lose()
        now_ns = self.shell.time_ns()
        for subscription in list(self.shell.monitor.subscriptions):
            self.shell.monitor._resolver.invalidate(subscription, now_ns)
        self.sleep(3)

    def rows(self) -> list[list[str]]:
        """What each of them got since the last call."""
        found = []
        for client in (self.tree, *self.others):
            client.flush()
            found.append(as_words(client.rows()))
        return found


@pytest.mark.parametrize(("way", "number"), PASSING)
def test_what_gives_errors_for_a_while_is_not_deleted(way: str, number: int) -> None:
    clients = Clients(way)
    disk = clients.shell.disk
    disk.failing[b"/d/sub"] = number
    clients.sleep(6)
    clients.lose()
    disk.touch(b"/d/new")
    clients.sleep(6)
    tree, *others = clients.rows()
    assert "created /d/new" in tree
    assert not [row for row in tree if row.startswith("deleted")]
    assert others == [[], [], []]
    disk.failing.clear()
    clients.sleep(6)
    disk.touch(b"/d/sub/inner/late")
    clients.sleep(6)
    tree, file, directory, inner = clients.rows()
    assert "created /d/sub/inner/late" in tree
    assert not [row for row in tree if row.startswith("deleted")]
    assert set(file) <= {"changed it"}
    assert directory[-1].startswith("created")
    assert inner[-1] == "created /d/sub/inner/late"


@pytest.mark.parametrize(("way", "number"), PASSING)
def test_what_is_gone_after_errors_is_deleted_then(way: str, number: int) -> None:
    clients = Clients(way)
    disk = clients.shell.disk
    disk.failing[b"/d/sub"] = number
    clients.sleep(3)
    disk.failing.clear()
    disk.rmtree(b"/d/sub")
    disk.failing[b"/d/sub"] = number
    clients.lose()
    disk.failing.clear()
    clients.sleep(3)
    tree, *others = clients.rows()
    assert "deleted /d/sub/" in tree
    for rows in others:
        assert rows[-1].startswith("deleted")


def test_tries_do_not_gather_for_a_mount_that_does_not_answer() -> None:
    clients = Clients("distant")
    disk, threads = clients.shell.disk, clients.shell.threads
    disk.failing[b"/d/sub"] = errno.EIO
    clients.lose()
    threads.silent.add(b"/d")
    for _ in range(3):
        clients.shell.sleep(STALLED_SECONDS)
    waiting = sum(map(len, threads.requests.values()))
    for _ in range(20):
        clients.shell.sleep(STALLED_SECONDS)
    assert sum(map(len, threads.requests.values())) == waiting
