"""What programs written for the original Python module rely on."""

import gc
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.compat import fam as gamin
from gamin.compat.fam import WatchMonitor
from gamin.protocol.gam.packets import EventCode, Packet
from testkit.gam_peer import Peer, Peers, connect_to
from testkit.original import require_original, start_original_server
from testkit.waiting import eventually

Told = list[tuple[str, int]]


@pytest.fixture
def peers() -> Iterator[Peers]:
    made = Peers()
    yield made
    made.close()


@pytest.fixture
def monitor(peers: Peers) -> Iterator[WatchMonitor]:
    made = WatchMonitor(connect=peers.connect)
    yield made
    made.disconnect()


@pytest.fixture
def peer(monitor: WatchMonitor, peers: Peers) -> Peer:
    return peers.met[0]


@pytest.fixture
def reported() -> Told:
    return []


def ignore(path: str, event: int) -> None:
    pass


def test_the_numbers_are_those_of_fam() -> None:
    assert [
        gamin.GAMChanged,
        gamin.GAMDeleted,
        gamin.GAMStartExecuting,
        gamin.GAMStopExecuting,
        gamin.GAMCreated,
        gamin.GAMMoved,
        gamin.GAMAcknowledge,
        gamin.GAMExists,
        gamin.GAMEndExist,
    ] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [
        gamin.GAM_OK,
        gamin.GAM_ARG,
        gamin.GAM_FILE,
        gamin.GAM_CONNECT,
        gamin.GAM_AUTH,
        gamin.GAM_MEM,
        gamin.GAM_UNIMPLEM,
        gamin.GAM_INTR,
    ] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_callback_gets_path_and_event_as_they_were_sent(
    monitor: WatchMonitor, peer: Peer, reported: Told
) -> None:
    monitor.watch_directory("/d", lambda path, event: reported.append((path, event)))
    peer.report((1, EventCode.EXISTS, b"/d"), (1, EventCode.CREATED, b"\xff"))

    assert monitor.event_pending() == 1
    assert monitor.handle_one_event() == 1
    assert monitor.handle_events() == 1
    assert monitor.event_pending() == 0
    assert reported == [("/d", gamin.GAMExists), ("\udcff", gamin.GAMCreated)]


def test_a_callback_also_gets_its_data_unless_none(
    monitor: WatchMonitor, peer: Peer
) -> None:
    received: list[tuple[Any, ...]] = []
    monitor.watch_file("/f", lambda *arguments: received.append(arguments), 0)
    monitor.watch_file("/f", lambda *arguments: received.append(arguments), None)
    peer.report((1, EventCode.EXISTS, b"/f"), (2, EventCode.EXISTS, b"/f"))

    assert monitor.handle_events() == 2
    assert received == [("/f", gamin.GAMExists, 0), ("/f", gamin.GAMExists)]


def test_an_exception_in_a_callback_is_printed_and_not_raised(
    monitor: WatchMonitor, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(path: str, event: int) -> None:
        raise LookupError("no such row")

    monitor.watch_file("/f", fail)
    peer.report((1, EventCode.EXISTS, b"/f"))

    assert monitor.handle_events() == 1
    assert "LookupError: no such row" in capsys.readouterr().err


def test_a_callback_may_disconnect(monitor: WatchMonitor, peer: Peer) -> None:
    monitor.watch_file("/f", lambda path, event: monitor.disconnect())
    peer.report((1, EventCode.EXISTS, b"/f"), (1, EventCode.END_EXIST, b"/f"))
    assert monitor.handle_events() == 1


def test_paths_are_made_absolute_and_normal(monitor: WatchMonitor, peer: Peer) -> None:
    monitor.watch_directory("d/../e/", ignore)
    monitor.watch_file(b"/x//y", ignore)
    assert peer.asked() == [
        Packet(1, 2, os.fsencode(Path.cwd() / "e")),
        Packet(2, 1, b"/x/y"),
    ]


def test_directories_can_be_watched_without_their_listing(
    monitor: WatchMonitor, peer: Peer
) -> None:
    assert monitor.no_exists() == 0
    monitor.watch_directory("/d", ignore)
    assert peer.asked() == [Packet(1, 18, b"/d")]


def test_stopping_cancels_everything_on_the_path(
    monitor: WatchMonitor, peer: Peer, reported: Told
) -> None:
    for _ in range(2):
        monitor.watch_file("/f", lambda path, event: reported.append((path, event)))
    monitor.watch_file("/g", ignore)
    peer.asked()

    monitor.stop_watch("/f/")

    assert peer.asked() == [Packet(1, 3), Packet(2, 3)]
    peer.report((1, EventCode.ACKNOWLEDGE, b"/f"), (2, EventCode.ACKNOWLEDGE, b"/f"))
    monitor.handle_events()
    assert reported == [("/f", gamin.GAMAcknowledge)] * 2


def test_stopping_again_does_nothing(monitor: WatchMonitor, peer: Peer) -> None:
    monitor.watch_file("/f", ignore)
    monitor.stop_watch("/f")
    peer.asked()
    monitor.stop_watch("/f")
    assert peer.asked() == []


def test_stopping_what_was_never_watched_is_an_error(monitor: WatchMonitor) -> None:
    with pytest.raises(gamin.GaminException, match="not monitored"):
        monitor.stop_watch("/f")


def test_an_object_cancels_itself_once(monitor: WatchMonitor, peer: Peer) -> None:
    first = monitor.watch_file("/f", ignore)
    monitor.watch_file("/f", ignore)
    peer.asked()

    first.cancel()
    with pytest.raises(gamin.GaminException) as failed:
        first.cancel()
    monitor.stop_watch("/f")

    assert failed.value.errno == gamin.GAM_ARG
    assert peer.asked() == [Packet(1, 3), Packet(2, 3)]


def test_a_path_that_cannot_be_watched_is_a_file_error(monitor: WatchMonitor) -> None:
    with pytest.raises(gamin.GaminException) as failed:
        monitor.watch_file("/" + "x" * 4096, ignore)
    assert failed.value.errno == gamin.GAM_FILE
    assert gamin.GaminErrno() == gamin.GAM_FILE
    assert str(failed.value).endswith(": " + gamin.GaminErrmsg())


def test_no_server_is_a_connection_error() -> None:
    def refuse() -> Any:
        raise ConnectionRefusedError

    with pytest.raises(gamin.GaminException) as failed:
        WatchMonitor(connect=refuse)
    assert failed.value.errno == gamin.GAM_CONNECT


def test_every_error_but_none_has_a_message() -> None:
    assert gamin.GaminErrmsg(gamin.GAM_OK) == ""
    assert all(gamin.GaminErrmsg(errno) for errno in range(1, 8))


def test_after_disconnecting_only_stopping_is_allowed(monitor: WatchMonitor) -> None:
    monitor.disconnect()
    monitor.disconnect()
    monitor.stop_watch("/f")
    for call in (monitor.get_fd, monitor.event_pending, monitor.handle_events):
        with pytest.raises(gamin.GaminException, match="disconnected"):
            call()


def test_a_forgotten_monitor_is_disconnected_in_silence(peers: Peers) -> None:
    monitor = WatchMonitor(connect=peers.connect)
    monitor.watch_file("/f", lambda path, event, known=monitor: None)
    peer = peers.met[0]
    peer.asked()
    del monitor
    gc.collect()
    assert peer.socket.recv(1) == b""


def test_the_debug_interface_exists_and_does_nothing(monitor: WatchMonitor) -> None:
    assert not gamin.has_debug_api
    monitor._debug_object("notify", ignore, None)


def test_a_program_of_that_time_runs_on_the_original_server(
    tmp_path: Path, reported: Told
) -> None:
    require_original()
    with start_original_server(f"test-{uuid.uuid4()}") as server:
        monitor = WatchMonitor(connect=lambda: connect_to(server.session))
        monitor.watch_directory(tmp_path, lambda *event: reported.append(event))

        def received(*event: object) -> bool:
            monitor.handle_events()
            return event in reported

        eventually(lambda: received(str(tmp_path), gamin.GAMEndExist))
        (tmp_path / "new").touch()
        eventually(lambda: received("new", gamin.GAMCreated))
        monitor.stop_watch(tmp_path)
        eventually(lambda: received(str(tmp_path), gamin.GAMAcknowledge))
        monitor.disconnect()
