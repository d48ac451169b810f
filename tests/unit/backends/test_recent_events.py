"""When files were last written, found out from the kernel's own records."""

import sys

import pytest

from gamin.backends import recent_events
from gamin.backends.close_check import CloseCheck
from gamin.backends.recent_events import RecentEvents
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)
from gamin.system.inotify import HEADER


def padded(name: bytes) -> bytes:
    return name.ljust(len(name) // 16 * 16 + 16, b"\0")


def record(wd: int, mask: int, name: bytes, cookie: int = 0) -> bytes:
    return HEADER.pack(wd, mask, cookie, len(padded(name))) + padded(name)


def moved(events: RecentEvents) -> CloseCheck:
    check = CloseCheck()
    events.move_to(check)
    return check


@pytest.mark.parametrize("mask", [CREATE, MODIFY, ATTRIB])
def test_a_file_was_written_when_its_event_was_read(mask: int) -> None:
    events = RecentEvents()
    events.add(record(1, mask, b"file"))
    first = events.now_ns
    events.add(record(1, mask, b"a name of more than one block"))
    assert moved(events).modified == {
        (1, padded(b"file")): first,
        (1, padded(b"a name of more than one block")): events.now_ns,
    }


def test_other_events_say_nothing_of_the_content() -> None:
    events = RecentEvents()
    masks = (CLOSE_WRITE, DELETE, MOVED_TO)
    events.add(b"".join(record(1, mask, b"file") for mask in masks))
    assert not moved(events).modified


def test_a_renamed_file_was_written_when_it_had_its_old_name() -> None:
    events = RecentEvents()
    events.add(
        record(1, MODIFY, b"old")
        + record(1, MOVED_FROM, b"old", 7)
        + record(2, MOVED_TO, b"new", 7)
    )
    modified = moved(events).modified
    assert modified[2, padded(b"new")] == events.now_ns


def test_what_was_asked_for_is_kept_no_longer() -> None:
    events = RecentEvents()
    events.add(record(1, MODIFY, b"file"))
    assert moved(events).modified
    assert not moved(events).modified


def test_only_the_latest_events_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one = len(record(1, MODIFY, b"0"))
    monkeypatch.setattr(recent_events, "MAX_BYTES", 4 * one)
    events = RecentEvents()
    for number in range(10):
        events.add(record(1, MODIFY, b"%d" % number))
    assert [name for _, name in moved(events).modified] == [
        padded(b"6"),
        padded(b"7"),
        padded(b"8"),
        padded(b"9"),
    ]


def test_a_piece_is_kept_as_a_copy_without_the_buffer_that_it_was_read_into() -> None:
    recent, piece = RecentEvents(), bytes(range(100))
    before = sys.getrefcount(piece)
    recent.add(piece)
    assert sys.getrefcount(piece) == before


def test_a_drain_without_events_is_not_remembered() -> None:
    recent = RecentEvents()
    recent.add(b"")
    assert not recent._pieces
