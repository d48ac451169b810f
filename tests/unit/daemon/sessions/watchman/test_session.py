"""A connection of the Watchman language: order, encodings, turns, and its end."""

import json
from pathlib import Path

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.daemon.sessions.watchman import session as module
from gamin.protocol.watchman.codec.pdu import ENCODINGS, decode, end_of
from testkit.sessions import Home, WatchmanPeer


def line(*request: object) -> bytes:
    return json.dumps(request).encode() + b"\n"


def test_requests_are_answered_in_their_order(peer: WatchmanPeer) -> None:
    peer.send(line("get-pid") + line("nonsense") + line("get-sockname"))
    assert "pid" in peer.reply()
    assert "unknown command" in peer.reply()["error"]
    assert "sockname" in peer.reply()


def test_a_request_that_comes_in_pieces_is_one(peer: WatchmanPeer) -> None:
    for byte in line("get-pid"):
        peer.send(bytes([byte]))
        peer.home.loop.run_once(0)
    assert "pid" in peer.reply()


def test_each_reply_has_the_encoding_of_its_request(peer: WatchmanPeer) -> None:
    peer.send(ENCODINGS["bser"].encode(["get-pid"]))
    data = peer.home.run_until(peer.read)
    reply = decode(data)
    assert isinstance(reply, dict)
    assert "pid" in reply
    assert "pid" in peer.ask("get-pid")


def test_a_bug_is_answered_and_the_next_request_too(
    peer: WatchmanPeer, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> dict[str, object]:
        raise ZeroDivisionError

    peer.home.host.status = fail  # type: ignore[method-assign]  # replaced
    assert peer.ask("gamin-status")["error"] == "internal error: ZeroDivisionError"
    assert "pid" in peer.ask("get-pid")
    assert caplog.messages == ["client 1 (pid 1): a bug, or no memory left"]


def test_what_cannot_be_cut_into_requests_ends_the_connection(
    peer: WatchmanPeer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.send(b"\0\3")  # a version of BSER that there is not
    peer.home.run_until(peer.closed)
    assert "dropped" in caplog.text
    assert peer.session not in peer.home.service.sessions


def test_a_request_whose_root_is_listed_delays_those_behind_it_alone(
    server: Home, tmp_path: Path
) -> None:
    one, other = server.watcher(), server.watcher()
    one.post("watch", str(tmp_path))
    one.post("get-pid")
    assert "pid" in other.ask("get-pid")
    assert "watch" in one.reply()
    assert "pid" in one.reply()


def test_a_long_query_takes_turns_with_other_clients(
    server: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE_SECONDS", -1.0)
    for number in range(2000):
        (tmp_path / str(number)).touch()
    one, other = server.watcher(), server.watcher()
    one.ask("watch", str(tmp_path))
    query = {"fields": ["name"], "expression": ["size", "ge", 0]}
    one.post("query", str(tmp_path), query)
    server.run_until(lambda: one.session.usage.requests)
    assert "pid" in other.ask("get-pid")
    assert one.session.usage.requests == 1
    assert len(one.reply()["files"]) == 2000
    assert one.session.usage.requests == 0


def test_a_client_that_reads_no_replies_is_not_read(server: Home) -> None:
    server.service.limit(ClientLimits(unread_bytes=1 << 12))
    peer = server.watcher(send_bytes=2048)
    request = line("list-capabilities")
    peer.send(request * 20)
    server.run_until(lambda: peer.session.usage.bytes_out > 1 << 12)
    for _ in range(50):
        server.loop.run_once(0)
    assert peer.session.usage.requests >= 10
    for _ in range(20):
        assert "capabilities" in peer.reply()
    assert peer.session.usage == (0, 0, 0, 0)


def test_what_a_client_holds_is_accounted_for_until_it_leaves(
    peer: WatchmanPeer,
) -> None:
    accounts = peer.home.service.accounts
    peer.send(b"[" * 5000)
    peer.home.run_until(lambda: accounts.held_bytes == 5000)
    peer.leave()
    peer.home.run_until(lambda: accounts.held_bytes == 0)


def test_the_subscriptions_and_states_of_a_client_end_with_it(
    server: Home, tmp_path: Path
) -> None:
    one, other = server.watcher(), server.watcher()
    root = str(tmp_path)
    one.ask("watch", root)
    one.ask("subscribe", root, "s", {"fields": ["name"]})
    one.ask("state-enter", root, "busy")
    assert (one.session.subscription_count, one.session.backlog) == (1, 0)
    other.ask("subscribe", root, "s", {"fields": ["name"]})
    other.message()  # everything there is
    one.leave()
    message = other.message()
    assert (message["state-leave"], message["abandoned"]) == ("busy", True)
    (found,) = server.watchman.roots.all
    assert len(found.subscribers) == 1


@pytest.mark.parametrize("name", ["json", "bser", "bser-v2"])
def test_a_large_request_is_read_in_a_thread_and_answered_in_its_turn(
    name: str, server: Home, peer: WatchmanPeer, tmp_path: Path
) -> None:
    (tmp_path / "file-7").touch()
    peer.ask("watch", str(tmp_path))
    names = [f"file-{number}" for number in range(5_000)]
    query = {"fields": ["name"], "expression": ["name", names]}
    request = ENCODINGS[name].encode(["query", str(tmp_path), query])
    assert len(request) > module.MAX_INLINE_BYTES
    other = server.watcher()
    peer.send(request + line("get-pid"))
    server.loop.run_once(0)
    assert peer.session.is_waiting
    assert "pid" in other.ask("get-pid")
    data = b""

    def both() -> bool:
        nonlocal data
        data += peer.read()
        return b'"pid"' in data

    server.run_until(both)
    first = decode(data[: end_of(data)])
    assert isinstance(first, dict)
    assert first["files"] == ["file-7"]
    assert not peer.session.is_waiting
    assert peer.session.usage.bytes_in == 0


def test_a_large_request_that_makes_no_sense_is_answered_with_an_error(
    peer: WatchmanPeer,
) -> None:
    long = "x" * module.MAX_INLINE_BYTES
    assert "unknown command" in peer.ask(long)["error"]
    peer.send(b"[" + long.encode() + b"\n")
    assert "failed to parse JSON" in peer.reply()["error"]
    assert "pid" in peer.ask("get-pid")


def test_a_client_that_leaves_while_its_request_is_read_leaves_nothing(
    server: Home, peer: WatchmanPeer
) -> None:
    peer.send(line("x" * module.MAX_INLINE_BYTES))
    server.run_until(lambda: peer.session.is_waiting)
    peer.leave()
    server.run_until(lambda: peer.session not in server.service.sessions)
    server.run_until(lambda: not peer.session.is_waiting)
    assert peer.session.usage.requests == 0
