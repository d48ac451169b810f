import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.events import Kind, Row
from gamin.protocol.watchman.codec.compact import (
    CompactMessage,
    compact_text,
    decode_compact,
    decode_message,
    detailed_text,
    encode_message,
    split_details,
)
from testkit.watchman_wire import encode_compact

NOW = (1_700_000_000, 42, 3, 7)

parts = st.binary(min_size=1, max_size=9).filter(lambda b: not set(b) & {0, ord("/")})
paths = st.lists(parts, max_size=4).map(b"/".join)
plain = st.builds(
    Row,
    st.sampled_from([k for k in Kind if k is not Kind.MOVED]),
    paths,
    st.booleans(),
    st.none(),
)
moves = st.builds(Row, st.just(Kind.MOVED), paths, st.booleans(), paths)


def text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


@given(st.lists(plain | moves, max_size=6))
def test_rows_survive_the_way(rows: list[Row]) -> None:
    sent = json.loads(encode_compact(rows, 0))
    assert decode_compact(sent) == [
        (r.kind, text(r.path), r.is_dir, None if r.source is None else text(r.source))
        for r in rows
    ]


def test_names_are_relative_to_the_root() -> None:
    rows = [Row(Kind.MOVED, b"/a/new", True, b"/a/d/old")]
    sent = json.loads(encode_compact(rows, len(b"/a/")))
    assert decode_compact(sent) == [(Kind.MOVED, "new", True, "d/old")]


@given(st.text())
def test_any_text_gives_rows_or_a_protocol_error(sent: str) -> None:
    with suppress(RemoteProtocolError):
        decode_compact(sent)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param("x", id="an unknown letter"),
        pytest.param("ca////cb", id="a row without a letter"),
        pytest.param("fa", id="a rename to nowhere"),
        pytest.param("ta", id="a rename from nowhere"),
        pytest.param("fa//cb", id="a rename that goes on as something else"),
        pytest.param("fa//fb//tc", id="a rename from two places"),
    ],
)
def test_rows_that_no_server_sends_are_refused(sent: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_compact(sent)


messages = st.builds(
    encode_message,
    st.sampled_from([b'"0"', b'"17"']),
    st.just(NOW),
    st.none() | st.integers(0, 2**63 - 1),
    st.lists(plain | moves, max_size=6).map(lambda rows: encode_compact(rows, 0)),
    recovered=st.booleans(),
)


@given(messages)
def test_a_message_is_one_line_of_json_whichever_way_it_is_read(line: bytes) -> None:
    assert line.index(b"\n") == len(line) - 1
    value = json.loads(line)
    read = decode_message(line)
    assert read == decode_message(line[:-1])
    if read is None:
        assert b"\\" in line, "only what is escaped is left to JSON"
        return
    assert read == CompactMessage(
        value["subscription"],
        value["clock"],
        value["complete_until_ns"],
        value["rows"],
        value.get("recovered", False),
    )


def test_a_message_says_what_and_up_to_when() -> None:
    rows = encode_compact([Row(Kind.CREATED, b"/a/b", False)], len(b"/a/"))
    line = encode_message(b'"0"', NOW, 9, rows, recovered=False)
    message = CompactMessage("0", "c:1700000000:42:3:7", 9, "cb", False)
    assert decode_message(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b'{"version":"1","clock":"c:1:2:3:4"}\n',
        b'{"subscription":"0","clock":"c:1:2:3:4","complete_until_ns":1,"rows":""} ',
        b'{"subscription":"0","clock":"c:1:2:3:4","complete_until_ns":1,"rows":"c\xff"}\n',
        b'{"subscription":"0","clock":"c:1:2:3:4","complete_until_ns":%b,"rows":""}\n'
        % (b"9" * 99),
        b"",
    ],
)
def test_anything_else_is_no_message(line: bytes) -> None:
    assert decode_message(line) is None


@given(st.lists(st.tuples(plain | moves, st.integers(-1, 15)), max_size=6))
def test_details_survive_the_way_beside_the_rows(
    rows: list[tuple[Row, int]],
) -> None:
    given_rows, details = [row for row, _ in rows], [bits for _, bits in rows]
    sent = text(detailed_text(given_rows, 0, details))
    assert split_details(sent) == (text(compact_text(given_rows, 0)), details)


@given(st.text())
def test_any_text_gives_details_or_a_protocol_error(sent: str) -> None:
    with suppress(RemoteProtocolError):
        split_details(sent)
