"""Several watchers through the libraries' interfaces: what they cost the kernel."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.compat.engine import Engine
from testkit.compat_peers import WatchdogPeer
from testkit.server_state import status
from testkit.watches import serving

FOLDERS = 300
ABOVE = 20
"""More than the directories above a tree, and those of configuration files."""


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


def test_a_tree_is_watched_once_and_a_walk_of_it_overflows_nothing(
    tmp_path: Path,
) -> None:
    pytest.importorskip("watchdog")
    for number in range(FOLDERS):
        (tmp_path / f"d{number}").mkdir()
    peer = WatchdogPeer(str(tmp_path))
    engines = [Engine([str(tmp_path)]) for _ in range(2)]
    try:
        assert status().watches.kernel <= FOLDERS + ABOVE
        for _ in range(3):
            list(os.walk(tmp_path))
        (tmp_path / "d7" / "new").touch()
        path = str(tmp_path / "d7" / "new")
        for engine in engines:
            assert engine.watch(1, 1, 20_000, None) == {(1, path)}
        while path not in peer.reported.created:
            peer.read(20)
        assert status().recoveries.overflows == 0
    finally:
        peer.close()
        for engine in engines:
            engine.close()


def test_directories_that_a_filter_drops_are_not_watched(tmp_path: Path) -> None:
    for number in range(FOLDERS):
        (tmp_path / "node_modules" / f"d{number}").mkdir(parents=True)
    engine = Engine([str(tmp_path)], ignore=["node_modules"])
    try:
        assert status().watches.kernel <= ABOVE
    finally:
        engine.close()
