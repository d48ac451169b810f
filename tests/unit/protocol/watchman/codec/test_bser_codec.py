"""Replies and rows in BSER, as Watchman's clients read them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Kind, Row
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.bser import decode_value, read_int
from gamin.protocol.watchman.codec.bser_codec import (
    NO_TEXT_TYPE,
    NO_TEXT_TYPE_FOR_ERRORS,
    BserCodec,
)
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.codec.json_codec import JSON, JsonCodec
from gamin.protocol.watchman.codec.rows import render
from gamin.protocol.watchman.query.fields import DEFAULT_FIELDS, FIELDS
from gamin.protocol.watchman.query.file_row import FileRow
from testkit.rows import FILE, LINK, NOW, FakeDisk, row

CODECS = [BserCodec(), BserCodec(2), BserCodec(2, NO_TEXT_TYPE)]
IDS = ["version 1", "version 2", "version 2 without text"]
TEXT_TYPE = 0x0D

rows = st.builds(
    FileRow,
    st.binary(),
    st.sampled_from(Kind),
    is_dir=st.booleans(),
    source=st.none() | st.binary(),
)


def header_of(pdu: bytes) -> tuple[bytes, bytes]:
    found = read_int(pdu, 2 if pdu[1] == 1 else 6)
    assert found is not None
    size, end = found
    assert len(pdu) == end + size
    return pdu[:end], pdu[end:]


def decoded(pdu: bytes) -> Any:
    return decode_value(header_of(pdu)[1])


@pytest.mark.parametrize("codec", CODECS, ids=IDS)
@pytest.mark.parametrize("fields", [DEFAULT_FIELDS, ("name",), (), tuple(FIELDS)])
@given(seen=st.lists(rows, max_size=4))
def test_rows_say_what_they_say_in_json(
    codec: BserCodec, fields: tuple[str, ...], seen: list[FileRow]
) -> None:
    written = codec.rows(seen, fields, NOW)
    assert decode_value(written) == render(seen, fields, NOW)


@pytest.mark.parametrize("codec", CODECS, ids=IDS)
def test_rows_of_the_core_are_written_like_those_of_a_query(codec: BserCodec) -> None:
    seen = [
        Row(Kind.MOVED, b"/d/new", False, b"/d/old\xff"),
        Row(Kind.DELETED, b"/d/x", True),
    ]
    same = [
        row(b"new", kind=Kind.MOVED, source=b"old\xff"),
        row(b"x", kind=Kind.DELETED, is_dir=True),
    ]
    assert codec.events(seen, len(b"/d/")) == codec.rows(same, EVENT_FIELDS, NOW)


def test_a_link_has_its_target_as_bytes() -> None:
    seen = [row(disk=FakeDisk(LINK, target=b"a\xff"))]
    data = BserCodec(2).rows(seen, ["symlink_target"], NOW)
    assert data == b"\x00\x03\x01\x02\x03\x02a\xff"


@pytest.mark.parametrize("fields", [DEFAULT_FIELDS, tuple(FIELDS), ("type",)])
def test_version_1_has_no_type_for_text(fields: tuple[str, ...]) -> None:
    """npm's bser closes the connection where it sees that type."""
    seen = [row(b"a" * 5, facts=FILE)]
    plain = BserCodec().rows(seen, fields, NOW)
    assert plain == BserCodec(2, NO_TEXT_TYPE).rows(seen, fields, NOW)
    assert plain != BserCodec(2).rows(seen, fields, NOW)


def test_several_fields_make_a_template_even_for_one_row() -> None:
    written = BserCodec().rows([row(b"a")], ["name", "exists"], NOW)
    assert written == (
        b"\x0b\x00\x03\x02\x02\x03\x04name\x02\x03\x06exists\x03\x01\x02\x03\x01a\x08"
    )


def test_one_field_makes_plain_values() -> None:
    assert BserCodec().rows([row(b"a")], ["name"], NOW) == b"\x00\x03\x01\x02\x03\x01a"


def test_the_header_of_version_2_repeats_the_capabilities() -> None:
    pdu = BserCodec(2, 0x80000001).encode(replies.get_pid(7))
    assert pdu[:6] == b"\0\2" + (0x80000001).to_bytes(4, "little")
    assert decoded(pdu)["pid"] == 7


def test_rows_become_a_member_of_the_reply() -> None:
    codec = BserCodec()
    files = codec.rows([row(b"a")], ["name"], NOW)
    reply = decoded(codec.encode(replies.find(NOW.clock(7)), {"files": files}))
    assert reply["files"] == ["a"]
    assert reply["clock"] == str(NOW.clock(7))


def test_a_message_is_never_so_short_that_a_client_waits_for_more() -> None:
    """One reads 13 bytes first, another 20."""
    assert len(BserCodec().encode(replies.get_pid(7))) >= 20


def value_type(pdu: bytes, key: bytes) -> int:
    return pdu[pdu.index(key) + len(key)]


def test_errors_may_be_asked_for_without_the_type_for_text() -> None:
    reply = replies.error("no")
    assert value_type(BserCodec(2).encode(reply), b"error") == TEXT_TYPE
    bytes_only = BserCodec(2, NO_TEXT_TYPE_FOR_ERRORS).encode(reply)
    assert value_type(bytes_only, b"error") != TEXT_TYPE
    assert value_type(bytes_only, b"version") == TEXT_TYPE


def test_paths_are_bytes_and_clocks_are_text() -> None:
    pdu = BserCodec(2).encode(replies.watch_del(b"/\xff", deleted=True))
    assert value_type(pdu, b"root") != TEXT_TYPE
    pdu = BserCodec(2).encode(replies.clock(NOW.clock(7)))
    assert value_type(pdu, b"clock") == TEXT_TYPE


def test_a_brief_message_has_the_members_of_ours() -> None:
    codec = BserCodec(2)
    name, text = codec.text(b"0"), codec.text(b"cb")
    pdu = codec.brief(name, (1, 2, 3, 4), None, text, recovered=True)
    assert decoded(pdu) == {
        "clock": "c:1:2:3:4",
        "complete_until_ns": None,
        "recovered": True,
        "subscription": "0",
        "rows": "cb",
    }


@pytest.mark.parametrize("codec", [*CODECS, JSON])
@pytest.mark.parametrize("fields", [(), ("name",), ("name", "exists"), DEFAULT_FIELDS])
@pytest.mark.parametrize("count", [0, 1, 256, 257, 1000])
def test_rows_in_pieces_are_the_same_bytes(
    codec: BserCodec | JsonCodec, fields: tuple[str, ...], count: int
) -> None:
    several = [FileRow(b"%d" % number, Kind.CREATED) for number in range(count)]
    pieces = list(codec.rows_in_pieces(several, fields, NOW))
    whole = codec.rows(several, fields, NOW)
    assert b"".join(pieces) == whole
    reply = {"clock": "c:1:2:3:4"}
    message = codec.encode_around(reply, {"files": pieces})
    assert b"".join(message) == codec.encode(reply, {"files": whole})


EVENTS = [
    (kind, b"/r/%d \xff\xc3\xa9" % number, bool(number % 3), None, False)
    for kind in (Kind.CREATED, Kind.DELETED)
    for number in range(3)
] + [(Kind.MOVED, b"/r/new", True, b"/r/old", True)]


@pytest.mark.parametrize("codec", [*CODECS, JSON])
@pytest.mark.parametrize("count", [0, 1, 7, 1024, 1025, 3000])
def test_events_in_pieces_are_the_same_bytes_as_rows(
    codec: BserCodec | JsonCodec, count: int
) -> None:
    events = (EVENTS * 500)[:count]
    pieces = list(codec.events_in_pieces(events, len(b"/r/")))
    assert len(pieces) > count // 1024
    rows = [
        FileRow(path[3:], kind, is_dir, source=source and source[3:])
        for kind, path, is_dir, source, _ in events
    ]
    assert b"".join(pieces) == codec.rows(rows, EVENT_FIELDS, NOW)
    assert b"".join(pieces) == codec.events(events, len(b"/r/"))


@pytest.mark.parametrize("codec", [*CODECS, JSON])
@given(texts=st.lists(st.text(max_size=40).map(str.encode) | st.just(b"/\xff/")))
def test_a_text_in_pieces_is_the_same_bytes(
    codec: BserCodec | JsonCodec, texts: list[bytes]
) -> None:
    assert b"".join(codec.text_in_pieces(texts)) == codec.text(b"".join(texts))


@pytest.mark.parametrize("codec", [*CODECS, JSON])
@pytest.mark.parametrize("reply", [{}, {"clock": "c:1:2:3:4"}])
def test_several_members_may_be_in_pieces(
    codec: BserCodec | JsonCodec, reply: dict[str, object]
) -> None:
    parts = {"rows": codec.text(b"ca//cb"), "names": codec.text(b"//a/b")}
    pieces = {key: (part[:3], part[3:]) for key, part in parts.items()}
    message = b"".join(codec.encode_around(reply, pieces))
    assert message == codec.encode(reply, parts)
    found = json.loads(message) if codec is JSON else decoded(message)
    assert found == reply | {"rows": "ca//cb", "names": "//a/b"}
