"""A change of the paths of a live watch, and whoever waits for it."""

import select
from collections.abc import Iterator
from contextlib import closing

import pytest

from gamin.client.channel import Channel
from gamin.client.path_change import PathChange
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Watching, WatchRefused
from gamin.protocol.watchman.codec.framing import encode


@pytest.fixture
def watching() -> Watching:
    watching = Watching(["/a"], WatchOptions())
    watching.start()
    watching.received(encode({"version": "1"}))
    return watching


@pytest.fixture
def change() -> Iterator[PathChange]:
    with closing(PathChange(add=[("/b", None)], wakes_descriptor=True)) as made:
        yield made


def is_readable(change: PathChange) -> bool:
    return bool(select.select([change.descriptor], [], [], 0)[0])


def test_whoever_waits_goes_on_when_a_path_is_refused(
    watching: Watching, change: PathChange
) -> None:
    watching.received(encode({"subscribe": "0", "clock": "c:1:2:3:4"}))
    change.start(Channel(watching))
    assert not change.is_carried_out(watching)
    change.wait(0)
    assert not change.is_done
    assert not is_readable(change)
    watching.received(encode({"error": "no"}))
    assert change.is_carried_out(watching)
    assert change.is_done
    assert is_readable(change)
    change.wait(60)  # returns at once
    with pytest.raises(WatchRefused, match="no"):
        change.check(watching)


def test_batches_of_a_path_that_is_taken_away_are_dropped(watching: Watching) -> None:
    channel = Channel(watching)
    key, _ = watching.add("/b")
    watching.received(encode({"subscribe": "0", "clock": "c:1:2:3:4"}))
    watching.received(encode({"subscribe": "1", "clock": "c:1:2:4:4"}))
    for name in ("0", "1"):
        message = {"subscription": name, "clock": "c:1:2:3:5", "rows": "wf"}
        channel.batches += watching.received(encode(message))
    PathChange(remove=[key]).start(channel)
    assert [batch.key for batch in channel.batches] == ["0"]
