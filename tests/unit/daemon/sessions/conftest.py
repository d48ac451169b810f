"""A server without sockets, and a client of it."""

from collections.abc import Iterator

import pytest

from testkit.sessions import Home, WatchmanPeer, home


@pytest.fixture
def server() -> Iterator[Home]:
    with home() as made:
        yield made


@pytest.fixture
def peer(server: Home) -> WatchmanPeer:
    return server.watcher()
