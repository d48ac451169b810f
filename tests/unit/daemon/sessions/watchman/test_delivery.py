"""Rows that many subscribers get: encoded once for each codec."""

import pytest

from gamin.daemon.sessions.watchman.delivery import EventRows, FileRows, Listing
from gamin.events import Kind, Row
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.json_codec import JSON
from testkit.rows import NOW, row

CREATED = Row(Kind.CREATED, b"/r/a", False)


def files(*names: bytes) -> FileRows:
    return FileRows([row(name) for name in names], ("name",), NOW)


def test_rows_of_the_core_are_encoded_once_for_each_codec() -> None:
    rows = EventRows([CREATED], len(b"/r/"), is_compact=False)
    assert not rows.is_empty
    assert rows.encoded(JSON) is rows.encoded(JSON)
    assert rows.encoded(BserCodec()) is rows.encoded(BserCodec())
    assert rows.encoded(JSON) != rows.encoded(BserCodec())
    assert b'"a"' in rows.encoded(JSON)


def test_rows_for_our_own_clients_have_another_name() -> None:
    compact = EventRows([CREATED], len(b"/r/"), is_compact=True)
    plain = EventRows([CREATED], len(b"/r/"), is_compact=False)
    assert (compact.member, plain.member) == ("rows", "files")
    assert compact.encoded(JSON) != plain.encoded(JSON)


def test_no_rows_are_empty_whatever_they_are_of() -> None:
    assert EventRows([], 0, is_compact=False).is_empty
    assert files().is_empty
    assert files().encoded(JSON) == b"[]"


def test_the_first_rows_can_be_taken_alone() -> None:
    assert files(b"a", b"b", b"c").first(2).encoded(JSON) == b'["a","b"]'


def test_pieces_are_the_same_bytes_and_made_in_turns() -> None:
    rows = files(*(b"%d" % number for number in range(1000)))
    turns = sum(1 for _ in rows.encode(JSON))
    assert turns > 1
    assert b"".join(rows.pieces(JSON)) == rows.encoded(JSON)


def test_a_listing_of_nothing_is_no_text() -> None:
    assert Listing(None, is_file=False).is_nothing
    listing = Listing([], is_file=False)
    assert not listing.is_nothing
    assert listing.encoded(JSON) is listing.encoded(JSON) == b'""'


DETAILS = [-1, 0, 1, 15]
MANY = [
    Row(kind, b"/r/%d \xff" % number, False, source)
    for number in range(600)
    for kind, source in ((Kind.CREATED, None), (Kind.MOVED, b"/r/old"))
]
FOLDERS = [
    (b"%d" % number, None if number % 3 else b"a/b\xff") for number in range(1100)
]


@pytest.mark.parametrize("codec", [JSON, BserCodec(), BserCodec(2)])
@pytest.mark.parametrize("count", [0, 1, 512, 1200])
@pytest.mark.parametrize("details", [None, DETAILS * 300])
@pytest.mark.parametrize("is_compact", [False, True])
def test_many_rows_are_encoded_in_slices(
    codec: Codec, count: int, details: list[int] | None, is_compact: bool
) -> None:
    def made() -> EventRows:
        its = None if details is None else details[:count]
        return EventRows(MANY[:count], 3, is_compact=is_compact, details=its)

    rows = made()
    assert sum(1 for _ in rows.encode(codec)) > count // 1024
    assert b"".join(rows.pieces(codec)) == made().encoded(codec)
    assert rows.encoded(codec) == made().encoded(codec)


@pytest.mark.parametrize("codec", [JSON, BserCodec(), BserCodec(2)])
@pytest.mark.parametrize("count", [0, 1, 512, 1100])
def test_the_names_of_many_directories_are_encoded_in_slices(
    codec: Codec, count: int
) -> None:
    listing = Listing(FOLDERS[:count], is_file=False)
    assert sum(1 for _ in listing.encode(codec)) > count // 512
    whole = Listing(FOLDERS[:count], is_file=False).encoded(codec)
    assert b"".join(listing.pieces(codec)) == whole


@pytest.mark.parametrize("codec", [JSON, BserCodec()])
def test_the_names_of_one_long_directory_are_many_pieces(codec: Codec) -> None:
    names = "/".join(f"é{number}" for number in range(50_000)).encode()
    listing = Listing([(b"", names)], is_file=False)
    assert sum(1 for _ in listing.encode(codec)) > len(names) // 70_000
    assert max(map(len, listing.pieces(codec))) < 400_000
    whole = Listing([(b"", names)], is_file=False).encoded(codec)
    assert b"".join(listing.pieces(codec)) == whole
