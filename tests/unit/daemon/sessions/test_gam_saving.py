"""What clients believed is saved; they receive what happened between two servers."""

import os
from pathlib import Path

import pytest

from gamin.core.apply import removals
from gamin.daemon.sessions import gam_memory
from gamin.daemon.sessions.gam_saving import GamSaving, _result
from gamin.state.client_store import ClientStore
from gamin.state.place import Place
from gamin.state.store import Store
from gamin.system.process_identity import identity_of
from testkit.daemon import packet
from testkit.gam_servers import (
    CANCEL,
    DIRECTORY,
    FILE,
    Received,
    Servers,
    back,
    events_until,
    listed,
    request,
)
from testkit.sessions import Home
from testkit.watches import aged


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    (box / "sub").mkdir(parents=True)
    for name in ("changed", "gone", "kept"):
        (box / name).touch()
    aged(*box.iterdir())
    return box


def ask(box: Path, *, again: bool = False) -> list[bytes]:
    """Three files, and then the directory."""
    files = [box / "changed", box / "gone", box / "new"]
    requests = [request(FILE, n, file, again=again) for n, file in enumerate(files, 1)]
    return [*requests, request(DIRECTORY, 4, box, again=again)]


def change(box: Path) -> None:
    (box / "changed").write_text("x")
    (box / "gone").unlink()
    (box / "new").touch()
    (box / "sub" / "inside").touch()


def expected(box: Path) -> set[Received]:
    return {
        (1, "CHANGED", f"{box}/changed"),
        (2, "DELETED", f"{box}/gone"),
        (3, "CREATED", f"{box}/new"),
        (4, "DELETED", "gone"),
        (4, "CREATED", "new"),
        (4, "CHANGED", "changed"),
    }


def wait_until_saved(served: Home) -> None:
    memory = served.service.gam_memory
    assert memory is not None

    def is_saved() -> bool:
        made = memory._made
        return made is not None and made._is_written and not memory._is_armed

    served.run_until(is_saved, what="a save")


@pytest.mark.parametrize("is_killed", [False, True], ids=["ended", "killed"])
def test_a_client_that_comes_back_receives_exactly_what_happened_meanwhile(
    box: Path, state: Path, is_killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gam_memory, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(gam_memory, "MAX_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(gam_memory, "INTERVAL_PER_COST", 0.0)  # of a slow machine
    servers = Servers(state)
    with servers.next(is_killed=is_killed) as first:
        listed(first.gam(), *ask(box))
        if is_killed:
            wait_until_saved(first)
    change(box)
    with servers.next() as second:
        events = back(second, box / "live", *ask(box, again=True))
    # One EndExist, before all, for libgamin drops what comes before that.
    assert events[0] == (1, "END_EXIST", f"{box}/changed")
    assert len(events) == len(expected(box)) + 1
    assert set(events[1:]) == expected(box)


def test_nothing_that_is_off_changes_anything(box: Path) -> None:
    servers = Servers(None)
    with servers.next() as first:
        listed(first.gam(), *ask(box))
    change(box)
    with servers.next() as second:
        events = back(second, box / "live", *ask(box, again=True))
    assert events == [(2, "DELETED", f"{box}/gone")]


def test_a_directory_that_is_another_one_is_deleted_and_created(
    box: Path, state: Path
) -> None:
    servers = Servers(state)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    box.rename(box.with_name("old"))
    box.mkdir()
    (box / "kept").touch()
    with servers.next() as second:
        again = request(DIRECTORY, 1, box, again=True)
        assert back(second, box / "live", again) == [
            (1, "END_EXIST", str(box)),
            (1, "DELETED", str(box)),
            (1, "CREATED", str(box)),
            (1, "CREATED", "kept"),
        ]


def test_a_missing_directory_that_came_is_created_with_what_is_in_it(
    tmp_path: Path, state: Path
) -> None:
    servers, late = Servers(state), tmp_path / "late"
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, late))
    late.mkdir()
    (late / "in").touch()
    with servers.next() as second:
        again = request(DIRECTORY, 1, late, again=True)
        assert back(second, late / "live", again)[1:] == [
            (1, "CREATED", str(late)),
            (1, "CREATED", "in"),
        ]


def test_what_happens_while_the_path_is_looked_at_is_reported_once(
    box: Path, state: Path
) -> None:
    servers = Servers(state)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    with servers.next() as second:
        peer = second.gam()
        peer.send(request(DIRECTORY, 1, box, again=True))
        second.run_until(lambda: peer.session.subscription_count)
        second.run_until(lambda: peer.session.subscriptions[0].ready)
        (box / "new").touch()
        (box / "kept").unlink()
        events = events_until(peer, lambda so_far: len(so_far) >= 3)
        assert sorted(events[1:]) == [(1, "CREATED", "new"), (1, "DELETED", "kept")]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda box: request(DIRECTORY, 2, box, again=True), id="number"),
        pytest.param(lambda box: request(FILE, 1, box, again=True), id="kind"),
        pytest.param(
            lambda box: request(DIRECTORY, 1, box / "sub" / "..", again=True), id="path"
        ),
    ],
)
def test_a_first_request_that_is_none_of_the_lost_ones_receives_nothing_old(
    box: Path, state: Path, other: object
) -> None:
    assert callable(other)
    servers = Servers(state)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    change(box)
    with servers.next() as second:
        peer = second.gam()
        peer.send(other(box))
        second.run_until(lambda: peer.session._outbox._cursors)
        (box / "live").touch()
        events = events_until(peer, lambda so_far: so_far)
        assert len(events) == 1
        assert events[0][1] in ("CREATED", "CHANGED")


def test_another_process_receives_nothing_old(
    box: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = Servers(state)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    change(box)
    monkeypatch.setattr(
        "gamin.daemon.sessions.gam_saving.identity_of", lambda pid: b"another"
    )
    with servers.next() as second:
        again = request(DIRECTORY, 1, box, again=True)
        assert back(second, box / "live", again) == []


def test_a_lost_connection_serves_one_that_comes_back_and_no_second_one(
    box: Path, state: Path
) -> None:
    servers, again = Servers(state), request(DIRECTORY, 1, box, again=True)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    (box / "new").touch()
    with servers.next() as second:
        assert len(back(second, box / "live", again)) == 2
        peer = second.gam()
        peer.send(again)
        second.run_until(lambda: peer.session._outbox._cursors)
        (box / "later").touch()
        assert events_until(peer, lambda so_far: so_far) == [(1, "CREATED", "later")]


def test_a_client_that_left_before_the_end_is_not_kept(box: Path, state: Path) -> None:
    servers, again = Servers(state), request(DIRECTORY, 1, box, again=True)
    with servers.next() as first:
        peer = listed(first.gam(), request(DIRECTORY, 1, box))
        peer.leave()
        first.run_until(lambda: peer.session not in first.service.sessions)
    (box / "new").touch()
    with servers.next() as second:
        assert back(second, box / "live", again) == []


def test_a_client_that_came_back_with_listings_has_nothing_to_come_any_more(
    box: Path, state: Path
) -> None:
    """As `gamin.WatchMonitor` does, which compares for itself."""
    servers, again = Servers(state), request(DIRECTORY, 1, box, again=True)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    (box / "new").touch()
    with servers.next() as second:
        peer = listed(second.gam(), request(DIRECTORY, 1, box))
        peer.leave()
        second.run_until(lambda: peer.session not in second.service.sessions)
    store = ClientStore(Store(Place(bytes(state), b"", os.getuid())))
    with servers.next() as third:
        # It left before it was saved: only the first server's is there, and in use.
        assert len(store.of_process(identity_of(os.getpid()))) <= 1
        assert back(third, box / "live", again)[1:] in ([], [(1, "CREATED", "new")])


def test_requests_that_were_cancelled_are_skipped_and_later_ones_end_the_repetition(
    box: Path, state: Path, tmp_path: Path
) -> None:
    servers = Servers(state)
    other = tmp_path / "other"
    other.mkdir()
    with servers.next() as first:
        peer = listed(first.gam(), *ask(box))
        peer.send(packet(2, CANCEL))
        events_until(peer, lambda so_far: so_far)
    change(box)
    (other / "old").touch()
    with servers.next() as second:
        requests = ask(box, again=True)
        del requests[1]
        requests.insert(3, request(DIRECTORY, 5, other, again=True))
        events = back(second, other / "live", *requests)
    assert set(events[1:]) == {e for e in expected(box) if e[0] != 2}


def test_requests_with_a_number_in_use_are_compared_in_the_order_they_came(
    box: Path, state: Path
) -> None:
    def ask_twice(*, again: bool = False) -> list[bytes]:
        files = [(1, "changed"), (1, "gone"), (2, "new"), (1, "sub/x")]
        requests = [request(FILE, n, box / file, again=again) for n, file in files]
        return [*requests, request(DIRECTORY, 4, box, again=again)]

    servers = Servers(state)
    with servers.next() as first:
        listed(first.gam(), *ask_twice())
    change(box)
    with servers.next() as second:
        events = back(second, box / "live", *ask_twice(again=True))
    files = {event for event in events[1:] if event[0] != 4}
    assert files == {
        (1, "CHANGED", f"{box}/changed"),
        (1, "DELETED", f"{box}/gone"),
        (2, "CREATED", f"{box}/new"),
    }
    assert {event for event in events if event[0] == 4} == {
        event for event in expected(box) if event[0] == 4
    }


def test_the_order_is_right_after_a_number_was_in_use_twice(
    box: Path, state: Path
) -> None:
    servers = Servers(state)
    with servers.next() as first:
        twice = [request(FILE, 1, box / "changed"), request(FILE, 1, box / "kept")]
        peer = listed(first.gam(), *twice)
        peer.send(packet(1, CANCEL))
        events_until(peer, lambda so_far: so_far)
        rest = ask(box)[1:]
        listed(peer, *rest)
        assert [one.client_key for one in peer.session.subscriptions] == [1, 2, 3, 4]
    change(box)
    with servers.next() as second:
        events = back(second, box / "live", *ask(box, again=True))
    assert set(events[1:]) == expected(box)


def test_a_client_that_did_not_receive_everything_is_not_kept(
    box: Path, state: Path
) -> None:
    """Its belief is older than what is saved of the path."""
    servers, again = Servers(state), request(DIRECTORY, 1, box, again=True)
    with servers.next() as first:
        peer = listed(first.gam(send_bytes=2048), request(DIRECTORY, 1, box))
        for number in range(60):
            (box / f"{number:0200}").mkdir()
        first.run_until(lambda: peer.session.is_behind, what="a full socket")
    with servers.next() as second:
        assert back(second, box / "live", again) == []


def test_a_store_that_cannot_be_used_is_named_once_and_harms_nobody(
    box: Path, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    servers, again = Servers(state), request(DIRECTORY, 1, box, again=True)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
    with servers.next() as second:
        assert back(second, box / "live", again) == []
    assert any("its mode is 0755" in message for message in caplog.messages)


def test_a_removed_store_gets_everything_with_the_next_save(
    box: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gam_memory, "DELAY_SECONDS", 0.0)
    servers, again = Servers(state), request(DIRECTORY, 1, box, again=True)
    with servers.next() as first:
        listed(first.gam(), request(DIRECTORY, 1, box))
        wait_until_saved(first)
        ClientStore(Store(Place(bytes(state), b"", os.getuid()))).store.place.remove()
        (box / "more").touch()
        first.service.drive.drain()
    (box / "new").touch()
    with servers.next() as second:
        events = back(second, box / "live", again)
    assert (1, "CREATED", "new") in events


def test_a_save_in_slices_lets_others_work(box: Path, state: Path) -> None:
    servers = Servers(state)
    with servers.next() as first:
        requests = [request(FILE, n, box / str(n)) for n in range(1, 200)]
        listed(first.gam(), *requests)
        memory = first.service.gam_memory
        assert memory is not None
        saving = GamSaving(first.service, bytes(state), b"", 1)
        assert sum(1 for _ in saving.steps(memory.noted)) >= 3
        saving.wait()


def test_a_save_removes_what_is_gone_before_it_says_that_nothing_is_missing(
    box: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "MAX_NAMES_AT_ONCE", 5)
    monkeypatch.setattr(removals, "BATCH_NAMES", 4)
    (box / "big").mkdir()
    for number in range(30):
        (box / "big" / str(number)).touch()
    with Servers(state).next() as first:
        first.watcher().ask("subscribe", str(box), "s", {"watch": True})
        peer = listed(first.gam(), request(DIRECTORY, 1, box))
        (box / "big").rename(tmp_path / "elsewhere")
        first.service.drive.synchronise()
        monitor = first.service.monitor
        saving = GamSaving(first.service, bytes(state), b"", 1)
        assert monitor.is_removing
        assert saving._complete_ns() is None
        change = _result(saving._collecting(set(peer.session.subscriptions)))
        assert not monitor.is_removing
    assert change is not None
    [(_, belief)] = change.paths
    assert belief is not None
    assert belief.subdirectories == b"sub"
