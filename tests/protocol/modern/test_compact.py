import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.events import Kind, Row
from gamin.protocol.modern.compact import decode_compact, encode_compact

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
    assert list(decode_compact(sent)) == [
        (r.kind, text(r.path), r.is_dir, None if r.source is None else text(r.source))
        for r in rows
    ]


def test_names_are_relative_to_the_root() -> None:
    rows = [Row(Kind.MOVED, b"/a/new", True, b"/a/d/old")]
    sent = json.loads(encode_compact(rows, len(b"/a/")))
    assert list(decode_compact(sent)) == [(Kind.MOVED, "new", True, "d/old")]


@given(st.text())
def test_any_text_gives_rows_or_a_protocol_error(sent: str) -> None:
    with suppress(RemoteProtocolError):
        list(decode_compact(sent))


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
        list(decode_compact(sent))
