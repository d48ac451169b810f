"""Where a publisher goes on from: what is written to the bucket and read from it."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from gamin.fleet.message import Place
from gamin.fleet.position import Position, SavedPosition
from gamin.fleet.settings import PublishedTree

TREE = PublishedTree("/srv/data", "data", ("*.tmp",))
PLACE = Place("web1", "data")
POSITION = Position("c:1:2:3:4", 42)


class Bucket:
    def __init__(self) -> None:
        self.values: dict[str, bytes | None] = {}

    async def put(self, key: str, value: bytes) -> None:
        self.values[key] = value

    async def get(self, key: str) -> SimpleNamespace:
        if key not in self.values:
            raise KeyNotFoundError
        return SimpleNamespace(value=self.values[key])


def saved(bucket: Any, tree: PublishedTree = TREE) -> SavedPosition:
    return SavedPosition(bucket, "GAMIN", PLACE, tree)


def written() -> Bucket:
    bucket = Bucket()
    asyncio.run(saved(bucket).write(POSITION))
    return bucket


def test_what_is_written_is_read() -> None:
    bucket = written()
    assert list(bucket.values) == ["GAMIN.web1.data"]
    assert asyncio.run(saved(bucket).read()) == POSITION


def test_a_tree_that_was_never_published_has_no_position() -> None:
    assert asyncio.run(saved(Bucket()).read()) is None


@pytest.mark.parametrize(
    "tree",
    [
        TREE._replace(path="/srv/other"),
        TREE._replace(ignore=()),
        TREE._replace(vcs_ignore=True),
    ],
    ids=["path", "ignore", "vcs_ignore"],
)
def test_a_position_holds_only_for_the_rules_of_its_tree(tree: PublishedTree) -> None:
    assert asyncio.run(saved(written(), tree).read()) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"no JSON",
        b"[]",
        b"7",
        json.dumps({"clock": "c:1:2:3:4"}).encode(),
        json.dumps({"clock": "c:1:2:3:4", "last": "x"}).encode(),
    ],
)
def test_a_position_that_makes_no_sense_is_none(value: bytes | None) -> None:
    bucket = Bucket()
    bucket.values["GAMIN.web1.data"] = value
    assert asyncio.run(saved(bucket).read()) is None


def test_a_position_without_a_clock_is_none() -> None:
    """Everything would be left out that is in the tree by now."""
    bucket = Bucket()
    asyncio.run(saved(bucket).write(POSITION._replace(clock="")))
    assert asyncio.run(saved(bucket).read()) is None
