"""The waiting client: over scripted servers, and over the original one."""

import os
import select
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gamin.client.backoff import ServerUnstable
from gamin.client.blocking import Client
from gamin.errors import InvalidPath
from gamin.protocol.gam.client import Event, UnknownNumber
from gamin.protocol.gam.packets import EventCode, Packet
from testkit.gam_peer import Peer, Peers, connect_to
from testkit.original import OriginalServer, require_original, start_original_server

EXISTS, CREATED = EventCode.EXISTS, EventCode.CREATED
CHANGED, DELETED = EventCode.CHANGED, EventCode.DELETED
END, ACKNOWLEDGE = EventCode.END_EXIST, EventCode.ACKNOWLEDGE

SOON = 5.0  # seconds after which a test fails; nothing waits that long


@pytest.fixture
def peers() -> Iterator[Peers]:
    made = Peers()
    yield made
    made.close()


@pytest.fixture
def client(peers: Peers) -> Iterator[Client]:
    with Client(peers.connect) as made:
        yield made


def reported(client: Client) -> list[Event]:
    """The events that the client has received so far."""
    events = []
    while event := client.next_event(0):
        events.append(event)
    return events


def test_requests_reach_the_server(client: Client, peers: Peers) -> None:
    assert client.watch_directory("/d") == 1
    assert client.watch_file(Path("/f")) == 2
    client.no_exists()
    client.watch_directory(b"/e")
    client.cancel(1)
    assert peers.met[0].asked() == [
        Packet(1, 2, b"/d"),
        Packet(2, 1, b"/f"),
        Packet(3, 18, b"/e"),
        Packet(1, 3),
    ]


def test_events_are_pending_then_taken_in_order(client: Client, peers: Peers) -> None:
    client.watch_directory("/d")
    assert not client.pending()
    peers.met[0].report((1, EXISTS, b"/d"), (1, END, b"/d"))
    assert client.pending()
    assert client.next_event() == Event(1, EXISTS, b"/d")
    assert client.next_event() == Event(1, END, b"/d")
    assert not client.pending()


def test_half_an_event_is_not_pending(client: Client, peers: Peers) -> None:
    client.watch_directory("/d")
    event = Packet(1, EXISTS, b"/d").encode()
    peers.met[0].socket.sendall(event[:7])
    assert not client.pending()
    peers.met[0].socket.sendall(event[7:])
    assert client.next_event() == Event(1, EXISTS, b"/d")


def test_waiting_ends_with_the_timeout(client: Client) -> None:
    assert client.next_event(0.001) is None


def test_waiting_ends_with_the_event(client: Client, peers: Peers) -> None:
    client.watch_directory("/d")
    late = threading.Timer(0.05, peers.met[0].report, [(1, CREATED, b"a")])
    late.start()
    assert next(iter(client)) == Event(1, CREATED, b"a")
    late.join()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("", "absolute", id="empty"),
        pytest.param("d/e", "absolute", id="relative"),
        pytest.param("/d\0e", "NUL", id="embedded NUL"),
        pytest.param(b"/" * 4096, "4095", id="too long"),
    ],
)
def test_a_path_that_cannot_be_sent_is_refused(
    client: Client, peers: Peers, path: str | bytes, reason: str
) -> None:
    with pytest.raises(InvalidPath, match=reason):
        client.watch_directory(path)
    with pytest.raises(InvalidPath, match=reason):
        client.watch_file(path)
    assert peers.met[0].asked() == []
    assert client.watch_file("/f") == 1, "a refused path uses no number"


def test_a_name_that_is_not_utf8_is_sent_as_it_is(client: Client, peers: Peers) -> None:
    client.watch_file("/\udcff")
    assert peers.met[0].asked() == [Packet(1, 1, b"/\xff")]


def test_an_unknown_number_cannot_be_cancelled(client: Client) -> None:
    with pytest.raises(UnknownNumber):
        client.cancel(1)


def test_changes_without_a_server_are_reported_after_the_reconnect(
    client: Client, peers: Peers, tmp_path: Path
) -> None:
    path = os.fsencode(tmp_path)
    client.watch_directory(path)
    peers.met[0].report(
        (1, EXISTS, path), (1, EXISTS, b"gone"), (1, EXISTS, b"kept"), (1, END, path)
    )
    assert len(reported(client)) == 4

    peers.met[0].die()
    (tmp_path / "kept").touch()
    assert not client.pending()
    peers.met[1].report((1, EXISTS, path), (1, EXISTS, b"kept"), (1, EXISTS, b"new"))
    peers.met[1].report((1, END, path), (1, CREATED, b"later"))

    assert peers.met[1].asked() == [Packet(1, 2, path)]
    assert reported(client) == [
        Event(1, DELETED, b"gone"),
        Event(1, CHANGED, b"kept"),
        Event(1, CREATED, b"new"),
        Event(1, CREATED, b"later"),
    ]


def test_a_request_made_on_a_dead_server_goes_to_the_next(
    client: Client, peers: Peers
) -> None:
    client.watch_file("/f")
    peers.met[0].die()
    client.watch_file("/g")
    assert peers.met[1].asked() == [Packet(1, 1, b"/f"), Packet(2, 1, b"/g")]


def test_the_descriptor_stays_and_stays_registered(
    client: Client, peers: Peers
) -> None:
    client.watch_file("/f")
    descriptor = client.fileno()
    with select.epoll() as loop:
        loop.register(descriptor, select.EPOLLIN)
        assert loop.poll(0) == []

        peers.met[0].die()
        assert loop.poll(0) == [(descriptor, select.EPOLLIN)], "the end is an arrival"
        assert not client.pending()
        assert loop.poll(0) == []

        peers.met[1].report((1, EXISTS, b"/f"))
        assert loop.poll(0) == [(descriptor, select.EPOLLIN)]
    assert client.fileno() == descriptor


def test_the_client_disconnects_from_a_server_that_sends_nonsense(
    client: Client, peers: Peers
) -> None:
    client.watch_file("/f")
    peers.met[0].socket.sendall(b"HTTP/1.1 400 Bad Request\r\n")
    assert not client.pending()
    peers.met[1].report((1, EXISTS, b"/f"), (1, END, b"/f"))
    assert reported(client) == [Event(1, EXISTS, b"/f"), Event(1, END, b"/f")]


def test_servers_that_only_hang_up_are_given_up() -> None:
    def hung_up() -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.close()
        return ours

    with Client(hung_up) as client:
        with pytest.raises(ServerUnstable, match="5 connections"):
            client.next_event()
        with pytest.raises(ServerUnstable):
            client.watch_file("/f")


def test_a_missing_server_is_an_error_and_the_next_call_tries_again(
    peers: Peers,
) -> None:
    there = True

    def connect() -> socket.socket:
        if not there:
            raise ConnectionRefusedError
        return peers.connect()

    with Client(connect) as client:
        client.watch_file("/f")
        client.watch_file("/g")
        there = False
        peers.met[0].die()
        with pytest.raises(ConnectionRefusedError):
            client.pending()
        with pytest.raises(ConnectionRefusedError):
            client.cancel(1)
        with pytest.raises(ConnectionRefusedError):
            client.watch_file("/never")
        there = True

        assert client.next_event(SOON) == Event(1, ACKNOWLEDGE, b"/f")
        assert peers.met[1].asked() == [Packet(2, 1, b"/g")]


def test_a_server_that_cannot_be_reached_at_all_leaves_nothing_open() -> None:
    def refuse() -> socket.socket:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        Client(refuse)


def test_asking_much_of_a_server_that_answers_at_once_does_not_deadlock() -> None:
    """The peer reads a request only when its answer to the last one is taken."""
    requests = 4_000
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    peer = Peer(theirs)

    def answer() -> None:
        theirs.settimeout(SOON)
        size = len(Packet(1, 2, b"/directory").encode())
        for number in range(1, requests + 1):
            theirs.recv(size, socket.MSG_WAITALL)
            entries = [(number, EXISTS, b"entry %d" % i) for i in range(4)]
            peer.report(*entries, (number, END, b"/directory"))

    server = threading.Thread(target=answer)
    server.start()
    with theirs, Client(lambda: ours) as client:
        for _ in range(requests):
            client.watch_directory("/directory")
        ends = 0
        while ends < requests:
            event = client.next_event(SOON)
            assert event is not None
            ends += event.code == END
        server.join()


def test_a_closed_client_raises_an_error(peers: Peers) -> None:
    client = Client(peers.connect)
    client.close()
    client.close()
    assert repr(client) == "<Client of gamin, closed>"
    with pytest.raises(ValueError, match="closed"):
        client.watch_file("/f")
    with pytest.raises(ValueError, match="closed"):
        client.next_event()


def test_a_forgotten_client_is_a_resource_warning(peers: Peers) -> None:
    client = Client(peers.connect)
    with pytest.warns(ResourceWarning, match="unclosed <Client"):
        del client
    assert peers.met[0].socket.recv(1) == b"", "it is closed all the same"


@pytest.fixture
def original() -> Iterator[OriginalServer]:
    require_original()
    with start_original_server(f"test-{uuid.uuid4()}") as server:
        yield server


def until(client: Client, *wanted: Event) -> list[Event]:
    """The events up to the last one of `wanted`."""
    events: list[Event] = []
    while not set(wanted) <= set(events):
        event = client.next_event(SOON)
        assert event is not None, f"not told within {SOON} s: {wanted}, only {events}"
        events.append(event)
    return events


def test_the_original_server_is_understood(
    original: OriginalServer, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    path = os.fsencode(tmp_path)
    with Client(lambda: connect_to(original.session)) as client:
        directory, file = client.watch_directory(path), client.watch_file(path + b"/a")
        listing = until(
            client, Event(directory, END, path), Event(file, END, path + b"/a")
        )
        assert [event for event in listing if event.number == directory] == [
            Event(directory, EXISTS, path),
            Event(directory, EXISTS, b"a"),
            Event(directory, END, path),
        ]
        client.cancel(directory)
        until(client, Event(directory, ACKNOWLEDGE, path))
        (tmp_path / "a").unlink()
        assert until(client, Event(file, DELETED, path + b"/a"))[0].number == file


def test_the_original_server_is_killed_and_nothing_is_missed(tmp_path: Path) -> None:
    """The connector starts the next server, as `connect_gam` would."""
    require_original()
    for name in ("changed", "deleted"):
        (tmp_path / name).touch()
    path = os.fsencode(tmp_path)
    started: list[OriginalServer] = []

    with ExitStack() as stack:

        def connect() -> socket.socket:
            session = f"test-{uuid.uuid4()}"
            started.append(stack.enter_context(start_original_server(session)))
            return connect_to(session)

        client = stack.enter_context(Client(connect))
        client.watch_directory(path)
        until(client, Event(1, END, path))

        os.kill(started[0].pid, signal.SIGKILL)
        (tmp_path / "created").touch()
        (tmp_path / "deleted").unlink()
        (tmp_path / "changed").write_text("new")

        difference = until(client, Event(1, CREATED, b"created"))
        assert difference == [
            Event(1, DELETED, b"deleted"),
            Event(1, CHANGED, b"changed"),
            Event(1, CREATED, b"created"),
        ]
        assert len(started) == 2
        (tmp_path / "created").unlink()
        until(client, Event(1, DELETED, b"created"))
