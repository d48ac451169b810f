"""Announcements of publishers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gamin.fleet.registry import TreeState, publisher_state

ABOUT = {
    "host": "web1",
    "stream": "GAMIN",
    "version": "0.2.0",
    "time": "2026-01-02T03:04:05Z",
    "trees": {"data": {"path": "/d", "sent": 7, "unacknowledged": 1, "last_sent": 5.0}},
}


def test_an_announcement_is_read() -> None:
    state = publisher_state(json.dumps(ABOUT).encode(), "GAMIN")
    assert state is not None
    assert state.trees == (TreeState("data", "/d", 7, 1, 5.0),)


def test_one_of_another_stream_is_left_out() -> None:
    assert publisher_state(json.dumps(ABOUT).encode(), "OTHER") is None


damaged = st.dictionaries(st.sampled_from(sorted(ABOUT)), st.none() | st.text())


@given(
    st.binary()
    | damaged.map(lambda each: json.dumps({**ABOUT, **each, "trees": 1}).encode())
)
def test_anything_else_is_left_out(body: bytes) -> None:
    assert publisher_state(body, "GAMIN") is None
