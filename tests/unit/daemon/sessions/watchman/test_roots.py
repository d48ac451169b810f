"""Roots: shared by those who ask the same, kept for a while, and released."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman import roots as module
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey, Roots
from gamin.protocol.watchman.query.query import Query
from testkit.sessions import Home

NAMES = {"fields": ["name"]}
OURS = {**NAMES, "watch": True}


@pytest.fixture
def roots(server: Home) -> Roots:
    return server.watchman.roots


def test_what_makes_a_root_is_the_path_and_what_is_left_out() -> None:
    plain = RootKey.of(b"/r", Query(fields=("name",)))
    assert plain == RootKey.of(b"/r", Query(fields=("name", "size"), settle=1.0))
    others = [Query(recursive=False), Query(ignore=("*.o",)), Query(vcs_ignore=True)]
    assert len({plain, *(RootKey.of(b"/r", query) for query in others)}) == 4


def test_clients_that_ask_the_same_share_a_root(
    server: Home, roots: Roots, tmp_path: Path
) -> None:
    for peer in (server.watcher(), server.watcher()):
        peer.ask("subscribe", str(tmp_path), "s", OURS)
    (root,) = roots.all
    assert len(root.subscribers) == 2
    server.watcher().ask("subscribe", str(tmp_path), "s", {**OURS, "ignore": ["x"]})
    assert len(roots.all) == 2
    assert roots.at(bytes(tmp_path)) == set(roots.all)
    roots.close(root)
    assert roots.at(bytes(tmp_path)) == set(roots.all) != set()


def test_a_root_without_subscribers_is_kept_for_a_while(
    server: Home, roots: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[RootKey] = []

    def save(key: RootKey, root: Root, then: Callable[[], None]) -> None:
        saved.append(key)
        then()

    roots.on_closing = save
    peer = server.watcher()
    peer.ask("subscribe", str(tmp_path), "s", OURS)
    peer.ask("unsubscribe", str(tmp_path), "s")
    (root,) = roots.all
    assert root.reaper is not None
    peer.ask("subscribe", str(tmp_path), "s", OURS)
    assert roots.all == [root]
    assert root.reaper is None
    monkeypatch.setattr(module, "KEPT_SECONDS", 0.0)
    peer.ask("unsubscribe", str(tmp_path), "s")
    server.run_until(lambda: not roots.all)
    assert [key.path for key in saved] == [bytes(tmp_path)]
    assert roots.key_of(root) is None
    assert not server.monitor.subscriptions


def test_a_root_that_is_watched_for_good_is_not_released(
    server: Home, roots: Roots, tmp_path: Path
) -> None:
    peer = server.watcher()
    peer.ask("watch", str(tmp_path))
    peer.ask("subscribe", str(tmp_path), "s", NAMES)
    peer.ask("unsubscribe", str(tmp_path), "s")
    (root,) = roots.all
    assert root.reaper is None
    assert roots.watched() == [bytes(tmp_path)]
    assert roots.find(bytes(tmp_path)) is root


def test_the_subscriptions_of_a_root_that_is_deleted_are_canceled(
    server: Home, roots: Roots, tmp_path: Path
) -> None:
    peer = server.watcher()
    peer.ask("watch", str(tmp_path))
    peer.ask("subscribe", str(tmp_path), "s", NAMES)
    peer.message()
    server.watcher().ask("watch-del", str(tmp_path))
    message = peer.message()
    assert (message["subscription"], message["canceled"]) == ("s", True)
    assert roots.all == []


def test_a_watched_root_that_is_moved_away_is_watched_no_more(
    server: Home, roots: Roots, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    peer = server.watcher()
    peer.ask("watch", str(box))
    box.rename(tmp_path / "moved")
    server.run_until(lambda: not roots.all)
    assert server.host.idle_checks == 1


def test_a_request_for_a_root_that_is_closed_before_its_scan_is_answered(
    server: Home, roots: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan ends in the round of the loop that makes the root, so it is kept from
    being known."""
    monkeypatch.setattr(roots, "ready", lambda subscription: None)
    peer = server.watcher()
    peer.post("watch", str(tmp_path))
    server.run_until(lambda: roots.all)
    [root] = roots.all
    assert not root.is_ready
    roots.close(root)
    assert "is not watched" in peer.reply()["error"]
