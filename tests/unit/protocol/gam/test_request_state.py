"""One request: what passes to the client, before and after a server's death."""

import pytest

from gamin.protocol.gam.packets import EventCode, Packet
from gamin.protocol.gam.request_state import (
    LATE_NS,
    Event,
    NeedsStat,
    Received,
    RequestState,
)

EXISTS, CREATED = EventCode.EXISTS, EventCode.CREATED
CHANGED, DELETED = EventCode.CHANGED, EventCode.DELETED
END = EventCode.END_EXIST

ASKED, HEARD, LATER = 10 * LATE_NS, 20 * LATE_NS, 30 * LATE_NS


def standing(
    path: bytes = b"/d", *, directory: bool = True, no_exists: bool = False
) -> RequestState:
    return RequestState(1, path, directory=directory, no_exists=no_exists, now_ns=ASKED)


def listed(*entries: bytes) -> RequestState:
    """A directory whose listing was received."""
    request = standing()
    for code, path in [(EXISTS, b"/d"), *((EXISTS, e) for e in entries), (END, b"/d")]:
        request.received(code, path, HEARD)
    return request


def replayed(request: RequestState, *events: tuple[int, bytes]) -> list[Received]:
    """What is reported when a new server sends `events`."""
    request.disconnected()
    return [one for code, path in events for one in request.received(code, path, LATER)]


def test_events_pass_while_the_server_lives() -> None:
    request = listed(b"a")
    assert request.received(CHANGED, b"a", HEARD) == [Event(1, CHANGED, b"a")]
    assert request.received(77, b"a", HEARD) == [Event(1, 77, b"a")]


def test_a_request_is_repeated_with_its_listing_after_a_death() -> None:
    request = standing(no_exists=True)
    assert request.encode() == Packet(1, 18, b"/d").encode()
    request.disconnected()
    assert request.encode() == Packet(1, 2, b"/d").encode()


def test_a_new_listing_becomes_ordinary_events() -> None:
    received = replayed(
        listed(b"gone", b"kept"),
        (EXISTS, b"/d"),
        (EXISTS, b"kept"),
        (EXISTS, b"new"),
        (END, b"/d"),
    )
    assert received == [
        Event(1, DELETED, b"gone"),
        NeedsStat(b"/d/kept", HEARD - LATE_NS, Event(1, CHANGED, b"kept")),
        Event(1, CREATED, b"new"),
    ]


def test_events_pass_again_after_the_difference() -> None:
    request = listed()
    assert replayed(request, (EXISTS, b"/d"), (END, b"/d")) == []
    assert request.received(CREATED, b"a", LATER) == [Event(1, CREATED, b"a")]


def test_changes_between_the_lines_of_the_listing_are_in_the_difference() -> None:
    received = replayed(
        listed(b"a", b"b"),
        (EXISTS, b"/d"),
        (CREATED, b"c"),
        (EXISTS, b"a"),
        (CHANGED, b"a"),
        (EXISTS, b"b"),
        (DELETED, b"b"),
        (EXISTS, b"c"),
        (END, b"/d"),
    )
    assert received == [
        Event(1, DELETED, b"b"),
        Event(1, CHANGED, b"a"),
        Event(1, CREATED, b"c"),
    ]


def test_a_second_death_during_the_listing_compares_with_the_reported_state() -> None:
    request = listed(b"a")
    assert replayed(request, (EXISTS, b"/d"), (EXISTS, b"x")) == []
    received = replayed(request, (EXISTS, b"/d"), (EXISTS, b"a"), (END, b"/d"))
    assert received == [NeedsStat(b"/d/a", HEARD - LATE_NS, Event(1, CHANGED, b"a"))]


def test_a_first_listing_cut_off_by_the_death_is_completed() -> None:
    request = standing()
    request.received(EXISTS, b"/d", HEARD)
    received = replayed(request, (EXISTS, b"/d"), (EXISTS, b"a"), (END, b"/d"))
    assert received == [Event(1, EXISTS, b"a"), Event(1, END, b"/d")]


def test_a_file_that_came_and_one_that_went() -> None:
    request = standing(b"/f", directory=False)
    request.received(EXISTS, b"/f", HEARD)
    request.received(END, b"/f", HEARD)
    gone = replayed(request, (DELETED, b"/f"), (END, b"/f"))
    back = replayed(request, (EXISTS, b"/f"), (END, b"/f"))
    assert gone == [Event(1, DELETED, b"/f")]
    assert back == [Event(1, CREATED, b"/f")]


def test_a_file_that_stayed_is_examined() -> None:
    request = standing(b"/f", directory=False)
    request.received(EXISTS, b"/f", HEARD)
    request.received(END, b"/f", HEARD)
    received = replayed(request, (EXISTS, b"/f"), (END, b"/f"))
    assert received == [NeedsStat(b"/f", HEARD - LATE_NS, Event(1, CHANGED, b"/f"))]


def test_unknown_names_need_a_stat_if_there_was_no_listing() -> None:
    received = replayed(
        standing(no_exists=True), (EXISTS, b"/d"), (EXISTS, b"a"), (END, b"/d")
    )
    assert received == [NeedsStat(b"/d/a", ASKED - LATE_NS, Event(1, CREATED, b"a"))]


def test_names_reported_by_events_are_known_without_a_listing() -> None:
    request = standing(no_exists=True)
    request.received(CREATED, b"a", HEARD)
    received = replayed(request, (EXISTS, b"/d"), (END, b"/d"))
    assert received == [Event(1, DELETED, b"a")]


def test_no_exists_holds_for_the_life_of_the_request() -> None:
    request = standing(no_exists=True)
    assert request.received(EXISTS, b"/d", HEARD) == []
    assert request.received(END, b"/d", HEARD) == []


@pytest.mark.parametrize(
    ("requested", "reported"),
    [
        pytest.param(b"/d", b"/d/", id="a slash added"),
        pytest.param(b"/d/", b"/d", id="a slash lost"),
        pytest.param(b"/", b"/", id="the root"),
    ],
)
def test_the_requested_path_is_known_in_other_forms(
    requested: bytes, reported: bytes
) -> None:
    request = standing(requested)
    request.received(EXISTS, requested, HEARD)
    request.received(END, requested, HEARD)
    request.received(DELETED, reported, HEARD)
    received = replayed(request, (DELETED, requested), (END, requested))
    assert received == []


def test_an_entry_given_with_its_whole_path_is_the_entry() -> None:
    request = standing(b"/d/")
    request.received(EXISTS, b"/d/", HEARD)
    request.received(END, b"/d/", HEARD)
    request.received(CREATED, b"/d/a", HEARD)
    received = replayed(request, (EXISTS, b"/d/"), (END, b"/d/"))
    assert received == [Event(1, DELETED, b"a")]
