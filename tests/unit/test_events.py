"""The shared words as a user of the public interface meets them."""

import json
from typing import cast

import pytest

from gamin.events import Event, Kind, Row, as_rows, new_event, new_row


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_its_own_text(kind: Kind) -> None:
    assert kind == kind.value
    assert str(kind) == f"{kind}" == kind.value
    assert json.dumps(kind) == json.dumps(kind.value)
    assert {kind: 1}[cast(Kind, kind.value)] == 1


def test_a_kind_hashes_in_c_because_every_row_is_looked_up_by_it() -> None:
    assert Kind.__hash__ is str.__hash__


def test_the_fast_constructor_of_an_event_takes_every_field() -> None:
    event = Event(Kind.MOVED, "/a", "/b", True, True)
    fields = tuple(event)
    assert len(fields) == len(Event._fields)
    made = new_event((event.kind, event.path, event.dest, True, True))
    assert type(made) is Event
    assert made == event
    assert made._asdict() == event._asdict()


def test_the_fast_constructor_of_a_row_takes_every_field() -> None:
    row = Row(Kind.MOVED, b"/b", True, b"/a", True)
    assert len(row) == len(Row._fields)
    made = new_row((row.kind, row.path, row.is_dir, row.source, row.is_new))
    assert type(made) is Row
    assert made == row


def test_plain_tuples_become_rows_with_fields() -> None:
    (made,) = as_rows([(Kind.CREATED, b"/d/f", False, None, True)])
    assert made == Row(Kind.CREATED, b"/d/f", False, None, True)
    assert made.path == b"/d/f"
