"""Changes come faster than they can be applied, and directories get busy."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

import gamin
from bench.build import NotBuilt, generate
from gamin import Event, Kind, Watch, WatchTimeout
from testkit.required import missing
from testkit.server_state import status, stopped_server

pytestmark = pytest.mark.usefixtures("own_server")

DIRECTORIES, ROUNDS, FILES = 20, 30, 100
PATIENCE = 20.0
"""Seconds in which everything was reported, on a machine with much else to do."""


def prepare(folder: Path) -> Path:
    folder.mkdir()
    try:
        generate("storm", folder, DIRECTORIES, 1, FILES, "--prepare")
    except NotBuilt as reason:
        missing(f"storm: {reason}")
    return folder


def take(events: Iterable[Event], paths: set[str]) -> None:
    for event in events:
        if event.kind in (Kind.DELETED, Kind.MOVED):
            paths.discard(event.path)
        if event.kind in (Kind.CREATED, Kind.EXISTS):
            paths.add(event.path)
        if event.dest is not None:
            paths.add(event.dest)


def there(root: Path) -> set[str]:
    return {
        os.path.join(directory, name)
        for directory, directories, files in os.walk(root)
        for name in (*directories, *files)
    }


def until_right(watch: Watch, root: Path) -> None:
    """Return once the belief equals the disk; fail if it never does."""
    last = root / "last"
    last.touch()
    believed: set[str] = set()
    try:
        while str(last) not in believed or believed != there(root):
            take(next(watch), believed)
    except WatchTimeout:
        missing, stale = there(root) - believed, believed - there(root)
        pytest.fail(f"missing: {sorted(missing)[:9]}, stale: {sorted(stale)[:9]}")


def test_the_belief_after_a_storm_equals_the_disk(tmp_path: Path) -> None:
    root = prepare(tmp_path / "root")
    with gamin.watch(root, initial=True, timeout=PATIENCE) as watch:
        generate("storm", root, DIRECTORIES, ROUNDS, FILES)
        until_right(watch, root)


def test_a_belief_is_right_after_a_storm_in_which_the_queue_overflowed(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    lost, seen = prepare(root / "lost"), prepare(root / "seen")
    with gamin.watch(root, initial=True, timeout=PATIENCE) as watch:
        with stopped_server():
            generate("storm", lost, DIRECTORIES, ROUNDS // 4, FILES)
        generate("storm", seen, DIRECTORIES, ROUNDS, FILES)
        until_right(watch, root)
        assert status().recoveries.overflows
