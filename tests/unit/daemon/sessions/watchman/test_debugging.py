"""The commands `debug-…` and those about the log, asked of a server in this process."""

import logging
import os
from pathlib import Path

import pytest

from testkit.sessions import Home, WatchmanPeer

NAMES = {"fields": ["name"]}


@pytest.fixture
def root(peer: WatchmanPeer, tmp_path: Path) -> str:
    (tmp_path / "old").touch()
    assert peer.ask("watch", str(tmp_path))["watch"] == str(tmp_path)
    return str(tmp_path)


def test_a_client_gets_what_others_write_to_the_log(
    server: Home, peer: WatchmanPeer
) -> None:
    other = server.watcher()
    assert peer.ask("log-level", "debug")["log_level"] == "debug"
    other.ask("log", "debug", "hello")
    message = peer.message()
    assert message["level"] == "debug"
    assert "hello" in message["log"]
    assert peer.ask("log-level", "off")["log_level"] == "off"
    other.ask("log", "error", "again")
    peer.ask("get-pid")
    assert not any("again" in each.get("log", "") for each in peer.messages)


def test_a_client_that_leaves_gets_nothing_of_the_log(
    server: Home, peer: WatchmanPeer
) -> None:
    handlers = list(logging.getLogger("gamin").handlers)
    leaving = server.watcher()
    leaving.ask("log-level", "debug")
    assert logging.getLogger("gamin").handlers != handlers
    leaving.leave()
    server.run_until(lambda: logging.getLogger("gamin").handlers == handlers)


def test_the_level_and_the_file_of_the_log_are_those_of_the_server(
    server: Home, peer: WatchmanPeer
) -> None:
    assert peer.ask("global-log-level", "debug")["log_level"] == "debug"
    assert server.host.log_level == logging.DEBUG
    assert "does not write" in peer.ask("get-log")["error"]
    server.host.log_path = "/var/log/x"
    assert peer.ask("get-log")["log"] == "/var/log/x"


def test_clocks_from_before_everything_was_aged_out_are_fresh(
    peer: WatchmanPeer, root: str
) -> None:
    peer.ask("query", root, {**NAMES, "since": "n:mine"})
    before = peer.ask("clock", root)["clock"]
    assert peer.ask("debug-ageout", root, 1000)["ageout"] is True
    assert not peer.ask("query", root, {"since": before})["is_fresh_instance"]
    os.unlink(os.path.join(root, "old"))
    assert peer.ask("debug-ageout", root, 0)["ageout"] is True
    answer = peer.ask("query", root, {"since": before})
    assert (answer["is_fresh_instance"], answer["files"]) == (True, [])
    assert peer.ask("debug-show-cursors", root)["cursors"] == {}
    Path(root, "new").touch()
    later = peer.ask("query", root, {**NAMES, "since": answer["clock"]})
    assert later["files"] == ["new"]


def test_a_query_that_omits_changed_files_gives_a_clock_alone(
    peer: WatchmanPeer, root: str
) -> None:
    omitting = {**NAMES, "omit_changed_files": True, "fail_if_no_saved_state": True}
    first = peer.ask("query", root, omitting)
    assert (first["is_fresh_instance"], first["files"]) == (True, [])
    Path(root, "new").touch()
    since = {"since": first["clock"]}
    assert peer.ask("query", root, {**omitting, **since})["files"] == []
    assert peer.ask("query", root, {**NAMES, **since})["files"] == ["new"]
    for name in ("omit_changed_files", "fail_if_no_saved_state"):
        error = peer.ask("query", root, {name: 1})["error"]
        assert f"{name} must be a boolean" in error


def test_a_recrawl_keeps_clocks_and_gives_a_warning(
    peer: WatchmanPeer, root: str
) -> None:
    first = peer.ask("query", root, NAMES)
    assert "warning" not in first
    peer.ask("subscribe", root, "s", {**NAMES, "settle": 0})
    peer.message()
    assert peer.ask("debug-recrawl", root)["recrawl"] is True
    again = peer.ask("query", root, {**NAMES, "since": first["clock"]})
    assert again["is_fresh_instance"] is False
    assert again["files"] == []  # however young it is: no event is missing
    assert again["warning"].startswith(
        f"Recrawled this watch 1 time, most recently because:\n{root}: debug-recrawl\n"
    )
    Path(root, "new").touch()
    assert "Recrawled" in peer.message()["warning"]
    info = peer.ask("debug-root-status", root)["root_status"]["recrawl_info"]
    assert info["count"] == 1
    peer.ask("debug-recrawl", root)
    assert "2 times" in peer.ask("clock", root)["warning"]
    peer.ask("watch-del", root)
    assert "warning" not in peer.ask("watch", root)
    assert "warning" not in peer.ask("clock", root)


def test_a_root_may_want_no_warning_about_recrawls(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    Path(tmp_path, ".watchmanconfig").write_text('{"suppress_recrawl_warnings": true}')
    peer.ask("watch", str(tmp_path))
    peer.ask("debug-recrawl", str(tmp_path))
    assert "warning" not in peer.ask("query", str(tmp_path), NAMES)


def test_a_paused_subscription_gets_later_what_happened(
    peer: WatchmanPeer, root: str
) -> None:
    peer.ask("subscribe", root, "s", {**NAMES, "settle": 0})
    peer.message()
    paused = peer.ask("debug-set-subscriptions-paused", {"s": True})["paused"]
    assert paused == {"s": {"old": False, "new": True}}
    Path(root, "new").touch()
    peer.ask("query", root, NAMES)
    assert peer.messages == []
    paused = peer.ask("debug-set-subscriptions-paused", {"s": False})["paused"]
    assert paused == {"s": {"old": True, "new": False}}
    assert peer.message()["files"] == ["new"]
    refused = peer.ask("debug-set-subscriptions-paused", {"s": True, "t": True})
    assert "does not have a subscription named 't'" in refused["error"]


def test_what_is_known_of_roots_and_subscriptions_can_be_shown(
    peer: WatchmanPeer, root: str
) -> None:
    peer.ask("subscribe", root, "s", NAMES)
    shown = peer.ask("debug-get-subscriptions", root)
    assert shown["subscriptions"] == ["s"]
    assert shown["subscribers"][0]["info"]["query"]["fields"] == ["name"]
    peer.ask("state-enter", root, "busy")
    states = peer.ask("debug-get-asserted-states", root)["states"]
    assert states == [{"name": "busy", "state": "Asserted"}]
    status = peer.ask("debug-root-status", root)["root_status"]
    assert (status["path"], status["done_initial"]) == (root, True)
    assert peer.ask("debug-status")["roots"] == [status]
    peer.ask("query", root, {"fields": ["content.sha1hex"]})
    hashes = peer.ask("debug-contenthash", root)
    assert (hashes["cacheMiss"], hashes["size"]) == (1, 1)
    links = peer.ask("debug-symlink-target-cache", root)
    assert links.keys() == hashes.keys()
    assert {links[name] for name in links if name != "version"} == {0}
    assert "watcher-debug-info" in peer.ask("debug-watcher-info", root)
    assert list(peer.ask("debug-watcher-info-clear", root)) == ["version"]
