"""Two processes create trees in a loop, at full speed.

A new directory is full before anybody can watch it, and its entries are found by the
kernel and by a scan, or by only one of the two.
"""

import os
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

import gamin
from gamin import Event, Kind
from testkit.processes import beside, wait_for_end
from testkit.watches import SOON

pytestmark = pytest.mark.usefixtures("own_server")

TREES = 500
"""Trees that each of the two creates."""


def deep(top: str) -> None:
    os.makedirs(f"{top}/a/b/c/d")
    for folder in ("a", "a/b/c", "a/b/c/d"):
        Path(f"{top}/{folder}/file").write_text("text")


def wide(top: str) -> None:
    for folder in "abcd":
        os.makedirs(f"{top}/{folder}/e")
        Path(f"{top}/{folder}/e/file").touch()


def make_trees(pipe: Connection, make: Callable[[str], None], place: str) -> None:
    for number in range(TREES):
        make(f"{place}-{number}")
    pipe.send("done")
    wait_for_end(pipe)


@pytest.mark.parametrize("make", [deep, wide])
def test_every_directory_and_file_of_new_trees_is_reported_once(
    make: Callable[[str], None], tmp_path: Path
) -> None:
    reported: list[Event] = []
    with gamin.watch(tmp_path, timeout=3 * SOON) as watch:
        with (
            beside(make_trees, make, str(tmp_path / "one")) as one,
            beside(make_trees, make, str(tmp_path / "other")) as other,
        ):
            assert (one.recv(), other.recv()) == ("done", "done")
        (tmp_path / "end").touch()
        there = {str(path): path.is_dir() for path in tmp_path.rglob("*")}
        while len(reported) < len(there) or not set(there) <= {
            e.path for e in reported
        }:
            reported += next(watch)
    assert len(there) > 2 * TREES * 7
    created = Counter((e.path, e.is_dir) for e in reported if e.kind is Kind.CREATED)
    assert created == Counter(there.items())
    assert {event.kind for event in reported} <= {Kind.CREATED, Kind.CHANGED}
