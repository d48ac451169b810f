"""Rows that many subscribers get: encoded once for each codec."""

from gamin.daemon.sessions.watchman.delivery import EventRows, FileRows, Listing
from gamin.events import Kind, Row
from gamin.protocol.watchman.codec.bser_codec import BserCodec
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
    assert Listing(None, is_file=False).encoded(JSON) is None
    listing = Listing([], is_file=False)
    assert listing.encoded(JSON) is listing.encoded(JSON) is not None
