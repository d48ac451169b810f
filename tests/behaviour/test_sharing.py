"""Many clients of a tree cost one set of watches, and one scan."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from gamin.system import libc
from testkit.server_state import instances, status
from testkit.watches import SOON, created, until

pytestmark = pytest.mark.usefixtures("own_server")

FOLDERS = 2000
CLIENTS = 20
OPEN = 0x20
"""IN_OPEN (man 7 inotify): a listing opens the directory."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(FOLDERS):
        os.mkdir(tree / str(number))
    return tree


@contextmanager
def openings(folder: Path) -> Iterator[int]:
    """A descriptor to be read when the directory, or what is in it, is opened."""
    descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        libc.inotify_add_watch(descriptor, bytes(folder), OPEN)
        yield descriptor
    finally:
        os.close(descriptor)


def something_was_opened(descriptor: int) -> bool:
    try:
        return bool(os.read(descriptor, 1 << 16))
    except BlockingIOError:
        return False


def test_twenty_clients_hold_one_instance_and_one_set_of_watches(tree: Path) -> None:
    with gamin.watch(tree, recursive=False):
        ways = status().watches.kernel
    with ExitStack() as several:
        clients = [several.enter_context(gamin.watch(tree, timeout=SOON))]
        alone = status()
        for _ in range(CLIENTS - 1):
            clients.append(several.enter_context(gamin.watch(tree, timeout=SOON)))
        together = status()
        assert together.watches == alone.watches
        assert instances(together.pid) == 1
        _all_are_told(clients, tree)
    assert alone.watches.kernel - ways == FOLDERS


def test_a_client_more_does_not_list_the_disk_again(tree: Path) -> None:
    with ExitStack() as several:
        with openings(tree) as opened:
            clients = [several.enter_context(gamin.watch(tree, timeout=SOON))]
            assert something_was_opened(opened), "the first one does"
        with openings(tree) as opened:
            clients.append(several.enter_context(gamin.watch(tree, timeout=SOON)))
            assert not something_was_opened(opened)
        _all_are_told(clients, tree)


def _all_are_told(clients: list[Watch], tree: Path) -> None:
    (tree / "7/file").touch()
    for client in clients:
        assert until(client, created(tree / "7/file")) == [created(tree / "7/file")]
