"""One pass gives what the three that define it give, whatever the rows."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind, Row
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.decode import decode_and_apply
from gamin.protocol.watchman.client.events import events_from_rows
from gamin.protocol.watchman.codec.compact import decode_compact, encode_compact

ROOT = "/r"
names = st.sampled_from(
    [b"", b"a", b"d", b"d/a", b"d/b", b"d/e/a", b"e", b"e/a", b"\xff"]
)
kinds = st.sampled_from([k for k in Kind if k is not Kind.MOVED])
rows = st.lists(
    st.builds(Row, kinds, names, st.booleans(), st.none())
    | st.builds(Row, st.just(Kind.MOVED), names, st.booleans(), names),
    max_size=12,
)
texts = rows.map(lambda told: str(json.loads(encode_compact(told, 0))))


def picture() -> Belief:
    return Belief({"": "a/d", "d": "a/e", "d/e": None})


def beliefs(known: Belief) -> list[tuple[str, bool]]:
    return sorted(known.walk())


def apart(text: str, known: Belief, *, recovered: bool) -> list[Event]:
    told = decode_compact(text)
    known.apply(told)
    return events_from_rows(told, ROOT, recovered=recovered)


@given(texts, st.booleans())
def test_it_is_the_same_as_one_after_the_other(text: str, recovered: bool) -> None:
    one, other = picture(), picture()
    assert decode_and_apply(text, ROOT, one, recovered=recovered) == apart(
        text, other, recovered=recovered
    )
    assert beliefs(one) == beliefs(other)


@given(st.lists(texts | st.text("cdwfte/Cab", max_size=5), max_size=4).map("//".join))
def test_what_is_refused_is_the_same(text: str) -> None:
    try:
        told = apart(text, picture(), recovered=False)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            decode_and_apply(text, ROOT, picture(), recovered=False)
    else:
        assert decode_and_apply(text, ROOT, picture(), recovered=False) == told


@given(st.text())
def test_any_text_gives_events_or_a_protocol_error(text: str) -> None:
    with suppress(RemoteProtocolError):
        decode_and_apply(text, ROOT, picture(), recovered=False)


def test_below_the_root_of_all_there_is_one_slash() -> None:
    assert decode_and_apply("cf", "/", Belief(), recovered=False) == [
        Event(Kind.CREATED, "/f")
    ]
