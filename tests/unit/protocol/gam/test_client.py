"""Many requests over connections that come and go."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.gam.client import (
    ClientSession,
    Event,
    NeedsStat,
    TooManyRequests,
    UnknownNumber,
)
from gamin.protocol.gam.packets import MAX_NUMBER, EventCode, Packet

EXISTS, CREATED = EventCode.EXISTS, EventCode.CREATED
CHANGED, DELETED = EventCode.CHANGED, EventCode.DELETED
END, ACKNOWLEDGE = EventCode.END_EXIST, EventCode.ACKNOWLEDGE

NOW = 1_700_000_000_000_000_000


def wire(*events: tuple[int, int, bytes]) -> bytes:
    return b"".join(Packet(*event).encode() for event in events)


def test_requests_are_numbered_from_one() -> None:
    session = ClientSession()
    assert session.watch_directory(b"/d", now_ns=NOW) == (
        1,
        Packet(1, 2, b"/d").encode(),
    )
    assert session.watch_file(b"/f", now_ns=NOW) == (2, Packet(2, 1, b"/f").encode())


def test_the_listing_can_be_left_out() -> None:
    session = ClientSession()
    _, request = session.watch_directory(b"/d", now_ns=NOW, no_exists=True)
    assert request == Packet(1, 18, b"/d").encode()


def test_events_come_in_order_however_they_arrive() -> None:
    session = ClientSession()
    session.watch_directory(b"/d", now_ns=NOW)
    events = [Event(1, EXISTS, b"/d"), Event(1, END, b"/d"), Event(1, CREATED, b"a")]
    stream = wire(*events)
    told = [session.received(stream[i : i + 3], NOW) for i in range(0, len(stream), 3)]
    assert list(chain.from_iterable(told)) == events


def test_events_of_unknown_numbers_are_dropped() -> None:
    assert ClientSession().received(wire((7, CREATED, b"a")), NOW) == []


def test_only_the_acknowledge_of_a_cancelled_request_is_reported() -> None:
    session = ClientSession()
    session.watch_file(b"/f", now_ns=NOW)
    assert session.cancel(1) == Packet(1, 3).encode()
    told = session.received(
        wire((1, CHANGED, b"/f"), (1, ACKNOWLEDGE, b"/f"), (1, CHANGED, b"/f")), NOW
    )
    assert told == [Event(1, ACKNOWLEDGE, b"/f")]


def test_a_request_cannot_be_cancelled_twice() -> None:
    session = ClientSession()
    session.watch_file(b"/f", now_ns=NOW)
    session.cancel(1)
    with pytest.raises(UnknownNumber, match="no request 1"):
        session.cancel(1)


def test_of_a_withdrawn_request_nothing_is_left() -> None:
    session = ClientSession()
    session.watch_file(b"/f", now_ns=NOW)
    session.withdraw(1)
    assert session.received(wire((1, EXISTS, b"/f")), NOW) == []
    session.disconnected()
    assert session.replay() == b""


def test_numbers_start_again_after_the_last_but_skip_those_that_stand() -> None:
    session = ClientSession()
    for number in range(1, MAX_NUMBER + 1):
        assert session.watch_file(b"/f", now_ns=NOW)[0] == number
    with pytest.raises(TooManyRequests, match="65535"):
        session.watch_file(b"/f", now_ns=NOW)
    session.cancel(5)
    with pytest.raises(TooManyRequests):
        session.watch_file(b"/f", now_ns=NOW)

    session.received(wire((5, ACKNOWLEDGE, b"/f")), NOW)

    assert session.watch_file(b"/f", now_ns=NOW)[0] == 5


def test_a_replay_asks_for_what_stands_oldest_first() -> None:
    session = ClientSession()
    _, first = session.watch_directory(b"/d", now_ns=NOW)
    session.watch_file(b"/f", now_ns=NOW)
    _, third = session.watch_file(b"/g", now_ns=NOW)
    session.cancel(2)
    session.disconnected()
    assert session.replay() == first + third


def test_numbers_go_on_after_a_reconnect() -> None:
    session = ClientSession()
    session.watch_file(b"/f", now_ns=NOW)
    session.disconnected()
    assert session.watch_file(b"/g", now_ns=NOW)[0] == 2


def test_an_acknowledge_that_the_dead_server_owed_is_reported() -> None:
    session = ClientSession()
    session.watch_file(b"/f", now_ns=NOW)
    session.cancel(1)
    assert session.disconnected() == [Event(1, ACKNOWLEDGE, b"/f")]
    assert session.disconnected() == []


def test_half_a_packet_of_the_dead_server_is_forgotten() -> None:
    session = ClientSession()
    session.watch_file(b"/f", now_ns=NOW)
    session.received(wire((1, EXISTS, b"/f"))[:5], NOW)
    session.disconnected()
    told = session.received(wire((1, EXISTS, b"/f"), (1, END, b"/f")), NOW)
    assert told == [Event(1, EXISTS, b"/f"), Event(1, END, b"/f")]


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(Packet(1, EventCode.START_EXECUTING), id="no path"),
        pytest.param(Packet(1, EventCode.CHANGED), id="no path either"),
    ],
)
def test_a_bad_event_is_a_reason_to_leave_the_server(packet: Packet) -> None:
    with pytest.raises(RemoteProtocolError):
        ClientSession().received(packet.encode(), NOW)


names = st.sampled_from([b"a", b"b", b"c", b"d"])
trees = st.none() | st.sets(names)  # None: the directory itself is missing


def listing(tree: set[bytes] | None) -> list[tuple[int, int, bytes]]:
    if tree is None:
        return [(1, DELETED, b"/d"), (1, END, b"/d")]
    return [
        (1, EXISTS, b"/d"),
        *((1, EXISTS, name) for name in sorted(tree)),
        (1, END, b"/d"),
    ]


def believed(told: list[Event | NeedsStat]) -> set[bytes] | None:
    """The belief of a client that only gets the events, with every NeedsStat denied."""
    tree: set[bytes] | None = None
    for event in told:
        match event:
            case Event(_, EventCode.DELETED, b"/d"):
                tree = None
            case Event(_, EventCode.EXISTS | EventCode.CREATED, b"/d"):
                tree = set()
            case Event(_, EventCode.EXISTS | EventCode.CREATED, name):
                assert tree is not None
                tree.add(name)
            case Event(_, EventCode.DELETED, name):
                assert tree is not None
                assert name in tree
                tree.remove(name)
    return tree


@given(
    before=trees,
    after=st.lists(st.tuples(trees, st.integers(0, 6)), max_size=4),
    final=trees,
    cut=st.integers(0, 6),
)
def test_belief_equals_the_disk_after_any_row_of_deaths(
    before: set[bytes] | None,
    cut: int,
    after: list[tuple[set[bytes] | None, int]],
    final: set[bytes] | None,
) -> None:
    """Each server dies after some lines of its listing; the last one lives."""
    session = ClientSession()
    session.watch_directory(b"/d", now_ns=NOW)
    told = session.received(wire(*listing(before)[:cut]), NOW)
    for tree, lines in after:
        session.disconnected()
        told += session.received(wire(*listing(tree)[:lines]), NOW)
    session.disconnected()
    told += session.received(wire(*listing(final)), NOW)
    assert believed(told) == final
    assert [event for event in told if event == Event(1, END, b"/d")] == [
        Event(1, END, b"/d")
    ]
