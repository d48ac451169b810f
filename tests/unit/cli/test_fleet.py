"""What `gamin fleet status` prints."""

import json

from gamin.cli.fleet import as_object, as_text
from gamin.fleet.registry import ConsumerState, FleetState, PublisherState, TreeState

TREE = TreeState("data", "/srv/data", 1234, 2, 940.0)
STATE = FleetState(
    *("GAMIN", 5000, 1 << 20, 1, 5000),
    max_age=3600.0,
    max_bytes=-1,
    max_messages=100_000,
    publishers=(PublisherState("web1", "0.2.0", "2026-01-02T03:04:05Z", (TREE,)),),
    consumers=(ConsumerState("indexer", 17, 3),),
)


def test_the_text_names_publishers_consumers_and_limits() -> None:
    assert as_text(STATE, now=1000.0).splitlines() == [
        "stream      GAMIN: 5,000 messages, 1,048,576 bytes, positions 1 to 5000",
        "limits      3,600 s, 100,000 messages",
        "publisher   web1, seen 2026-01-02T03:04:05Z",
        "  data  /srv/data: 1,234 sent, the last 60 s ago, 2 not acknowledged",
        "consumer    indexer: 17 pending, 3 not acknowledged",
    ]


def test_an_empty_stream_says_so() -> None:
    silent = TREE._replace(last_sent=0.0)
    publisher = STATE.publishers[0]._replace(trees=(silent,))
    text = as_text(STATE._replace(publishers=(publisher,)), 1000.0)
    assert "the last never" in text
    empty = STATE._replace(publishers=(), consumers=(), max_age=0.0, max_messages=-1)
    text = as_text(empty, 1000.0)
    assert "publishers  none was heard of in the last minute" in text
    assert "limits      none: everything is kept" in text


def test_the_object_has_named_members() -> None:
    read = json.loads(json.dumps(as_object(STATE)))
    assert read["publishers"][0]["trees"][0]["path"] == "/srv/data"
    assert read["consumers"] == [
        {"name": "indexer", "pending": 17, "unacknowledged": 3}
    ]
