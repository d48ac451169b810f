"""A client of libgamin's language: its requests, its events, its mistakes."""

from pathlib import Path

import pytest

from gamin.core.deliver import outbox
from gamin.daemon.sessions import gam as module
from gamin.protocol.gam.packets import EventCode
from testkit.daemon import packet
from testkit.sessions import GamPeer, Home

FILE, DIRECTORY, CANCEL, DEBUG = 1, 2, 3, 4
NO_EXISTS = 16
"""Added to a request whose listing is not wanted."""


@pytest.fixture
def peer(server: Home) -> GamPeer:
    return server.gam()


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    (box / "old").touch()
    return box


def events(peer: GamPeer, count: int) -> list[tuple[int, EventCode, bytes]]:
    """So many events, the first ones since the last call."""
    peer.home.run_until(lambda: len(peer.received()) >= count, what=f"{count} events")
    found = [(number, EventCode(code), path) for number, code, path in peer.events]
    peer.events.clear()
    assert len(found) == count
    return found


def test_a_hello_is_answered(peer: GamPeer) -> None:
    peer.send(b"")
    assert peer.home.run_until(peer.read) == b"\0"
    assert peer.session.is_greeted


def test_a_directory_is_listed_and_then_followed(peer: GamPeer, box: Path) -> None:
    path = bytes(box)
    peer.send(packet(5, DIRECTORY, path))
    assert events(peer, 3) == [
        (5, EventCode.EXISTS, path),
        (5, EventCode.EXISTS, b"old"),
        (5, EventCode.END_EXIST, path),
    ]
    (box / "new").mkdir()
    assert events(peer, 1) == [(5, EventCode.CREATED, b"new")]


def test_a_long_listing_is_sent_in_pieces_and_leaves_nothing_to_do(
    peer: GamPeer, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PIECE_ROWS", 2)
    for number in range(5):
        (box / f"{number}").touch()
    path = bytes(box)
    peer.send(packet(5, DIRECTORY, path))
    found = events(peer, 8)
    assert {name for _, code, name in found if code is EventCode.EXISTS} == {
        path,
        b"old",
        *(b"%d" % number for number in range(5)),
    }
    assert found[-1] == (5, EventCode.END_EXIST, path)
    assert peer.session.backlog == 0
    assert peer.session._release_timer is None  # no change waits for a moment


def test_a_listing_can_be_done_without(peer: GamPeer, box: Path) -> None:
    peer.send(packet(5, DIRECTORY + NO_EXISTS, box))
    peer.home.run_until(lambda: peer.session.subscription_count)
    (box / "old").unlink()
    assert events(peer, 1) == [(5, EventCode.DELETED, b"old")]


def test_a_cancel_is_acknowledged_and_ends_the_request(
    peer: GamPeer, box: Path
) -> None:
    peer.send(packet(5, FILE + NO_EXISTS, box) + packet(5, CANCEL))
    found = events(peer, 2) if peer.session.subscription_count else events(peer, 1)
    assert found[-1] == (5, EventCode.ACKNOWLEDGE, bytes(box))
    assert peer.session.subscriptions == []
    assert not peer.home.monitor.subscriptions


def test_one_number_may_stand_for_several_requests(peer: GamPeer, box: Path) -> None:
    peer.send(packet(5, FILE + NO_EXISTS, box) + packet(5, FILE + NO_EXISTS, b"/"))
    peer.home.run_until(lambda: peer.session.subscription_count == 2)
    peer.send(packet(5, CANCEL))
    peer.home.run_until(lambda: peer.session.subscription_count == 1)
    assert [each.path for each in peer.session.subscriptions] == [bytes(box)]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(packet(5, CANCEL), id="a cancel of nothing"),
        pytest.param(packet(5, 99, b"/x"), id="an unknown request"),
        pytest.param(packet(5, FILE), id="no path"),
    ],
)
def test_what_is_no_request_ends_the_connection(
    peer: GamPeer, wrong: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    peer.send(wrong)
    peer.home.run_until(lambda: peer.received() is not None and peer.is_closed)
    (message,) = caplog.messages
    assert message.startswith("client 1 (pid 1) dropped: ")
    assert peer.session not in peer.home.service.sessions


def test_a_client_has_a_limited_number_of_requests(
    peer: GamPeer,
    box: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "MAX_NUMBER", 3)
    peer.send(b"".join(packet(n, FILE + NO_EXISTS, box) for n in range(3)))
    peer.home.run_until(lambda: peer.session.subscription_count == 3)
    peer.send(packet(1, CANCEL) + packet(1, FILE + NO_EXISTS, box))
    assert events(peer, 1) == [(1, EventCode.ACKNOWLEDGE, bytes(box))]
    peer.home.run_until(lambda: peer.session.subscription_count == 3)
    peer.send(packet(9, FILE + NO_EXISTS, box))
    peer.home.run_until(lambda: peer.received() is not None and peer.is_closed)
    assert "more than 3 requests" in caplog.messages[-1]


def test_the_requests_of_one_client_take_turns_with_those_of_others(
    server: Home, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice of no time has one request, so each takes a round of the loop. (The round
    that reads them may have two slices: reading comes before what is called soon.)"""
    monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    one, other = server.gam(), server.gam()
    one.send(b"".join(packet(n, FILE + NO_EXISTS, box) for n in range(20)))
    other.send(packet(1, FILE + NO_EXISTS, box))
    carried_out = []
    while one.session.subscription_count < 20:
        server.loop.run_once(0)
        carried_out.append(one.session.subscription_count)
        assert other.session.subscription_count or carried_out[-1] < 3
    assert len({each for each in carried_out if each}) >= 19


def test_events_before_a_wrong_request_are_sent(peer: GamPeer, box: Path) -> None:
    peer.send(packet(5, FILE, box))
    assert len(events(peer, 2)) == 2
    (box / "new").touch()
    peer.send(packet(6, CANCEL))
    peer.home.run_until(lambda: peer.received() is not None and peer.is_closed)


def test_whoever_leaves_has_no_subscriptions_any_more(peer: GamPeer, box: Path) -> None:
    peer.send(packet(5, FILE, box) + packet(6, FILE, b"/nowhere"))
    peer.home.run_until(lambda: len(peer.home.monitor.subscriptions) == 2)
    peer.leave()
    peer.home.run_until(lambda: not peer.home.monitor.subscriptions)
    assert not peer.session.is_heavy
    assert peer.session.subscription_count == 0


def test_a_client_that_does_not_read_has_a_backlog_and_gets_the_difference(
    server: Home, box: Path
) -> None:
    peer = server.gam(send_bytes=2048)
    names = [f"{number:0200}" for number in range(60)]
    peer.send(packet(5, DIRECTORY, box))
    events(peer, 3)
    for name in names:
        (box / name).mkdir()
    connection = peer.session._connection
    server.run_until(lambda: connection.is_blocked, what="a full socket")
    (box / "last").mkdir()
    server.run_until(lambda: peer.session.backlog)
    for name in names:
        (box / name).rmdir()
    server.service.drive.drain()
    believed = {b"old"}

    def has_all() -> bool:
        for _, code, path in peer.received():
            believed.add(path) if code == EventCode.CREATED else believed.discard(path)
        peer.events.clear()
        return believed == {b"old", b"last"}

    server.run_until(has_all)
