"""A facility that comes later: without room at first, and then the real one."""

import errno
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.awaited import AwaitedBackend
from gamin.backends.inotify import InotifyBackend
from gamin.errors import WatchLimitReached
from gamin.events import CREATE, Change
from tests.backends.ways import Directory


class Opener:
    """Refuses until it is told that there is one."""

    is_granted = False

    def __call__(self) -> InotifyBackend:
        if not self.is_granted:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return InotifyBackend()


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def backend(opener: Opener) -> Iterator[AwaitedBackend]:
    backend = AwaitedBackend(opener)
    yield backend
    backend.close()


def test_until_then_nothing_has_room(backend: AwaitedBackend, tmp_path: Path) -> None:
    node = Directory(tmp_path)
    with pytest.raises(WatchLimitReached):
        backend.watch(node, CREATE)
    backend.unwatch(node)
    assert not node.is_watched
    assert (backend.watches, backend.limit) == (0, 0)
    assert not backend.has_noticed
    assert not backend.drain()


def test_from_then_on_it_is_the_real_one(
    backend: AwaitedBackend, opener: Opener, tmp_path: Path
) -> None:
    node = Directory(tmp_path)
    with pytest.raises(WatchLimitReached):
        backend.watch(node, CREATE)
    opener.is_granted = True
    backend.watch(node, CREATE)
    assert backend.watches == 1 < backend.limit
    assert not _is_readable(backend)
    (tmp_path / "new").touch()
    assert _is_readable(backend)
    assert list(backend.drain()) == [Change(node, CREATE, 0, b"new")]
    backend.unwatch(node)
    assert backend.watches == 0


def _is_readable(backend: AwaitedBackend) -> bool:
    return bool(select.select([backend], [], [], 0)[0])
