import pytest

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.events import events_from_rows
from gamin.protocol.watchman.codec.compact import WireRow

ROW: WireRow = (Kind.CREATED, "f", False, None)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MOVED])
def test_a_row_is_an_event_below_the_root(kind: Kind) -> None:
    assert events_from_rows([(kind, "f", True, None)], "/a") == [
        Event(kind, "/a/f", is_dir=True)
    ]


def test_a_rename_has_both_paths() -> None:
    rows: list[WireRow] = [(Kind.MOVED, "f", False, "e")]
    assert events_from_rows(rows, "/a") == [Event(Kind.MOVED, "/a/e", "/a/f")]


def test_a_row_without_a_name_is_the_root_itself() -> None:
    rows: list[WireRow] = [(Kind.CREATED, "", False, None)]
    assert events_from_rows(rows, "/a/f") == [Event(Kind.CREATED, "/a/f")]


def test_below_the_root_of_all_there_is_one_slash() -> None:
    assert events_from_rows([ROW], "/") == [Event(Kind.CREATED, "/f")]


def test_what_was_recovered_says_so() -> None:
    assert events_from_rows([ROW], "/a", recovered=True)[0].recovered
