"""The single pass gives what the three functions that define it give, for any rows."""

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
from gamin.protocol.watchman.codec.compact import decode_compact
from testkit.watchman_wire import encode_compact

ROOT = "/r"
names = st.sampled_from(
    [b"", b"a", b"d", b"d/a", b"d/b", b"d/e/a", b"e", b"e/a", b"u/a", b"u/b", b"\xff"]
)
kinds = st.sampled_from([k for k in Kind if k is not Kind.MOVED])
rows = st.lists(
    st.builds(Row, kinds, names, st.booleans(), st.none())
    | st.builds(Row, st.just(Kind.MOVED), names, st.booleans(), names),
    max_size=12,
)
texts = rows.map(lambda told: str(json.loads(encode_compact(told, 0))))


def known_belief() -> Belief:
    return Belief({"": "a/d", "d": "a/e", "d/e": None})


def content(known: Belief) -> list[object]:
    """Everything a belief answers, directories that no parent names included."""
    folders = ["", "a", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a", "u", "\udcff"]
    return [sorted(known.walk()), [known.is_folder(folder) for folder in folders]]


def apart(text: str, known: Belief, *, recovered: bool) -> list[Event]:
    told = decode_compact(text)
    known.apply(told)
    return events_from_rows(told, ROOT, recovered=recovered)


@given(texts, st.booleans())
def test_the_single_pass_equals_the_three_in_turn(text: str, recovered: bool) -> None:
    one, other = known_belief(), known_belief()
    assert decode_and_apply(text, ROOT, one, recovered=recovered) == apart(
        text, other, recovered=recovered
    )
    assert content(one) == content(other)


@given(st.lists(texts | st.text("cdwfte/Cab", max_size=5), max_size=4).map("//".join))
def test_the_single_pass_refuses_what_the_three_refuse(text: str) -> None:
    try:
        told = apart(text, known_belief(), recovered=False)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            decode_and_apply(text, ROOT, known_belief(), recovered=False)
    else:
        assert decode_and_apply(text, ROOT, known_belief(), recovered=False) == told


@given(st.text())
def test_any_text_gives_events_or_a_protocol_error(text: str) -> None:
    with suppress(RemoteProtocolError):
        decode_and_apply(text, ROOT, known_belief(), recovered=False)


def test_below_the_root_of_all_there_is_one_slash() -> None:
    assert decode_and_apply("cf", "/", Belief(), recovered=False) == [
        Event(Kind.CREATED, "/f")
    ]


@pytest.mark.parametrize("text", ["ca/", "wV-//c/", "ca///cb", "c/", "Ca//"])
def test_a_name_that_ends_with_a_slash_is_refused(text: str) -> None:
    """It would be a folder that is in itself, and `walk` would not end."""
    with pytest.raises(RemoteProtocolError):
        decode_and_apply(text, ROOT, known_belief(), recovered=False)
    with pytest.raises(RemoteProtocolError):
        decode_compact(text)


@given(st.text("cdwfteCD/ab", max_size=12))
def test_a_belief_can_be_read_whatever_was_applied(text: str) -> None:
    belief = known_belief()
    with suppress(RemoteProtocolError):
        decode_and_apply(text, ROOT, belief, recovered=False)
    assert len(list(belief.walk())) < 100
