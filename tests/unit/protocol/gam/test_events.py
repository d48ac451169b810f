"""Rows as packets of the libgamin protocol."""

from gamin.events import Kind, Row
from gamin.protocol.gam.events import encode_first, encode_rows
from gamin.protocol.gam.packets import EventCode, encode_event

PATH = b"/asked/for"


def row(
    kind: Kind, path: bytes, source: bytes | None = None, *, is_new: bool = False
) -> Row:
    return Row(kind, path, False, source, is_new)


def packets(*events: tuple[EventCode, bytes]) -> bytes:
    return b"".join(encode_event(7, int(code), name) for code, name in events)


def test_an_entry_has_its_bare_name_and_the_path_itself_is_as_requested() -> None:
    rows = [row(Kind.CREATED, b"/real/entry"), row(Kind.CHANGED, b"")]
    assert encode_rows(7, PATH, rows) == packets(
        (EventCode.CREATED, b"entry"), (EventCode.CHANGED, PATH)
    )


def test_a_rename_to_a_new_name_is_a_deletion_and_a_creation() -> None:
    rows = [row(Kind.MOVED, b"/real/new", b"/real/old", is_new=True)]
    assert encode_rows(7, PATH, rows) == packets(
        (EventCode.DELETED, b"old"), (EventCode.CREATED, b"new")
    )


def test_a_rename_over_an_entry_is_a_deletion_and_a_change() -> None:
    rows = [row(Kind.MOVED, b"/real/new", b"/real/old")]
    assert encode_rows(7, PATH, rows) == packets(
        (EventCode.DELETED, b"old"), (EventCode.CHANGED, b"new")
    )


def test_the_first_report_ends_with_the_end_of_what_exists() -> None:
    rows = [row(Kind.EXISTS, b"/real/a"), row(Kind.EXISTS, b"/real/b")]
    assert encode_first(7, PATH, rows, no_exists=False) == packets(
        (EventCode.EXISTS, b"a"), (EventCode.EXISTS, b"b"), (EventCode.END_EXIST, PATH)
    )


def test_a_client_that_wants_no_listing_learns_only_what_does_not_exist() -> None:
    rows = [row(Kind.EXISTS, b"/real/a"), row(Kind.DELETED, b"")]
    assert encode_first(7, PATH, rows, no_exists=True) == packets(
        (EventCode.DELETED, PATH)
    )
