"""Messages of the stream: what is encoded is decoded, and anything else is refused."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.fleet.message import (
    ALL_KINDS,
    LISTING,
    BadMessage,
    Content,
    FleetEvent,
    Place,
    Status,
    decode,
    encode,
    timestamp,
    token,
)
from gamin.fleet.sequence import Number
from testkit.nested import nested

PLACE = Place("web1", "data")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NUMBER = Number("e", 7, "d")

names = st.binary(max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
contents = st.builds(
    Content,
    kind=st.sampled_from([kind for kind in ALL_KINDS if kind != LISTING]),
    path=names,
    dest=st.none() | names,
    is_dir=st.booleans(),
    recovered=st.booleans(),
    status=st.none()
    | st.builds(Status, *[st.integers(0, 2**53) for _ in Status._fields]),
)


def encoded(content: Content, number: Number = NUMBER) -> bytes:
    labels = {"rack": "7"}
    return encode(
        *(PLACE, content),
        number=number,
        clock="c:1:2:3:4",
        time=timestamp(NOW),
        labels=labels,
    )


def received(content: Content) -> FleetEvent:
    return decode(PLACE.subject(content.kind), encoded(content), 42)


@given(contents)
def test_what_is_encoded_is_decoded(content: Content) -> None:
    event = received(content)
    assert (event.host, event.tree, event.stream_sequence) == ("web1", "data", 42)
    assert (event.kind, event.path, event.dest) == content[:3]
    assert (event.is_dir, event.recovered) == (content.is_dir, content.recovered)
    seen = (event.size, event.inode, event.generation)
    if content.status is None:
        assert seen == (None, None, None)
    else:
        size, _, inode, generation = content.status
        assert seen == (size, inode, generation)
    assert (event.epoch, event.sequence, event.previous) == NUMBER
    assert (event.clock, event.labels) == ("c:1:2:3:4", {"rack": "7"})


@given(st.lists(st.tuples(names, st.booleans()), max_size=5))
def test_a_piece_of_a_listing_has_its_entries(entries: list[tuple[str, bool]]) -> None:
    event = received(Content(LISTING, entries=entries))
    assert list(event.entries) == entries


def test_a_message_is_a_cloud_event() -> None:
    event = json.loads(encoded(Content("created", "a\udcffb", is_dir=True)))
    assert event.pop("data")["path_bytes"] == "Yf9i"
    assert event == {
        "specversion": "1.0",
        "id": "web1/data/e/7",
        "source": "gamin://web1/data",
        "type": "gamin.created",
        "subject": "a\ufffdb",
        "time": "2026-01-02T03:04:05Z",
        "datacontenttype": "application/json",
    }


values = nested(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=3
)
members = st.fixed_dictionaries(
    {},
    optional={
        name: values | st.just("created") | st.just(0)
        for name in ("kind", "path", "path_bytes", "is_dir", "clock", "entries")
    },
)


@given(
    st.binary()
    | values.map(lambda value: json.dumps(value).encode())
    | members.map(lambda data: json.dumps({"time": "", "data": data}).encode())
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        decode("gamin.web1.data.created", body)


@pytest.mark.parametrize(
    "subject", ["", "gamin.a.b", "other.a.b.created", "gamin.a.b.deleted"]
)
def test_a_subject_that_does_not_fit_is_refused(subject: str) -> None:
    with pytest.raises(BadMessage):
        decode(subject, encoded(Content("created", "x")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("web-1", "web-1"), ("a.b *>", "a_b___"), ("", "_"), ("ü", "_"), ("x" * 99, 64)],
)
def test_a_token_is_safe_in_a_subject(name: str, expected: str | int) -> None:
    found = token(name)
    assert found == expected or len(found) == expected
