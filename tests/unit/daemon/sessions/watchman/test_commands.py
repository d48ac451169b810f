"""The commands of the Watchman language, asked of a server in this process."""

import gc
import os
import weakref
from pathlib import Path

import pytest

from gamin import __version__
from gamin.config.client_limits import ClientLimits
from gamin.daemon.sessions.watchman import subscribing as module
from testkit.sessions import START, Home, WatchmanPeer

NAMES = {"fields": ["name"]}


@pytest.fixture
def root(peer: WatchmanPeer, tmp_path: Path) -> str:
    """A watched directory with one file."""
    (tmp_path / "old").touch()
    assert peer.ask("watch", str(tmp_path))["watch"] == str(tmp_path)
    return str(tmp_path)


def test_questions_about_the_server_itself(peer: WatchmanPeer) -> None:
    assert peer.ask("gamin-status")["status"] == {"pid": 7}
    assert peer.ask("get-pid")["pid"] == os.getpid()
    assert peer.ask("get-sockname")["sockname"] == "/run/modern.sock"
    assert "everything" in str(peer.ask("gamin-dump"))
    assert "cmd-query" in peer.ask("list-capabilities")["capabilities"]
    assert __version__ in str(peer.ask("version"))


@pytest.mark.parametrize("command", ["gamin-stop", "shutdown-server"])
def test_a_stop_is_answered_and_passed_on(command: str, peer: WatchmanPeer) -> None:
    assert "error" not in peer.ask(command)
    assert peer.home.host.stops == 1


def test_a_watched_root_is_listed_until_it_is_deleted(
    peer: WatchmanPeer, root: str
) -> None:
    assert peer.ask("watch-list")["roots"] == [root]
    assert peer.ask("watch-del", root)["watch-del"] is True
    assert peer.ask("watch-list")["roots"] == []
    assert peer.home.host.idle_checks == 1
    assert "is not watched" in peer.ask("clock", root)["error"]


def test_all_roots_can_be_deleted_at_once(peer: WatchmanPeer, root: str) -> None:
    inner = os.path.join(root, "inner")
    os.mkdir(inner)
    peer.ask("watch", inner)
    assert sorted(peer.ask("watch-del-all")["roots"]) == sorted([root, inner])
    assert peer.ask("watch-list")["roots"] == []


def test_a_directory_in_a_watched_project_belongs_to_it(
    peer: WatchmanPeer, root: str
) -> None:
    os.makedirs(os.path.join(root, "a/b"))
    reply = peer.ask("watch-project", os.path.join(root, "a/b"))
    assert (reply["watch"], reply["relative_path"]) == (root, "a/b")
    assert "relative_path" not in peer.ask("watch-project", root)


@pytest.mark.parametrize("path", ["/no/such/place", "relative", "/dev/null"])
def test_what_is_no_directory_cannot_be_watched(path: str, peer: WatchmanPeer) -> None:
    assert "unable to resolve root" in peer.ask("watch", path)["error"]
    assert peer.ask("watch-list")["roots"] == []


def test_a_query_lists_what_is_there_and_then_what_changed(
    peer: WatchmanPeer, root: str
) -> None:
    first = peer.ask("query", root, NAMES)
    assert (first["files"], first["is_fresh_instance"]) == (["old"], True)
    Path(root, "new").touch()
    later = peer.ask("query", root, {**NAMES, "since": first["clock"]})
    assert (later["files"], later["is_fresh_instance"]) == (["new"], False)
    assert peer.ask("clock", root)["clock"] == later["clock"]
    assert later["clock"].startswith(f"c:{START}:{os.getpid()}:")


HOUR = 3600.0


def waits(server: Home) -> bool:
    """Whether something waits for an hour from now on."""
    now = server.clock()
    return any(
        HOUR - 60 < each.when() - now < HOUR for each in server.loop._timers.values()
    )


def test_a_query_may_wait_until_its_root_is_quiet(
    server: Home, peer: WatchmanPeer, root: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    quiet = {"settle_period": 3_600_000, "settle_timeout": 10_800_000}
    query = {"fields": ["name"], "request_id": "mine", **quiet}
    peer.post("query", root, query)
    server.run_until(lambda: waits(server), what="a wait")
    Path(root, "later").touch()
    server.clock.skip(HOUR)
    server.run_until(lambda: waits(server), what="another wait")
    server.clock.skip(HOUR)
    assert sorted(peer.reply()["files"]) == ["later", "old"]
    assert "request_id = mine" in caplog.text


def test_a_root_that_is_not_quiet_in_time_is_an_error(
    server: Home, peer: WatchmanPeer, root: str
) -> None:
    query = {"settle_period": 3_600_000, "settle_timeout": 3_600_000}
    peer.post("query", root, query)
    server.run_until(lambda: waits(server), what="a wait")
    Path(root, "later").touch()
    server.clock.skip(HOUR)
    assert peer.reply()["error"].endswith("did not settle within 3600 s")
    reply = peer.ask("query", root, {**query, "settle_timeout": 1})
    assert "did not settle" in reply["error"]


def test_a_named_cursor_moves_with_each_query(peer: WatchmanPeer, root: str) -> None:
    named = {**NAMES, "since": "n:mine"}
    assert peer.ask("query", root, named)["files"] == ["old"]
    assert peer.ask("query", root, named)["files"] == []
    cursors = peer.ask("debug-show-cursors", root)["cursors"]
    assert list(cursors) == ["n:mine"]


def test_a_root_that_is_not_watched_any_more_is_kept_by_no_cursor(
    peer: WatchmanPeer, root: str
) -> None:
    peer.ask("query", root, {"since": "n:mine", "fields": ["name"]})
    [known] = map(weakref.ref, peer.home.watchman.roots.all)
    peer.ask("watch-del", root)
    gc.collect()
    assert known() is None


def test_a_subscription_gets_what_is_there_and_what_happens(
    peer: WatchmanPeer, root: str
) -> None:
    assert peer.ask("subscribe", root, "s", NAMES)["subscribe"] == "s"
    first = peer.message()
    assert (first["files"], first["is_fresh_instance"]) == (["old"], True)
    Path(root, "new").touch()
    later = peer.message()
    assert (later["files"], later["is_fresh_instance"]) == (["new"], False)
    assert later["since"] == first["clock"]
    assert peer.ask("unsubscribe", root, "s")["deleted"] is True
    assert peer.ask("unsubscribe", root, "s")["deleted"] is False


def test_a_second_subscription_of_a_name_replaces_the_first(
    peer: WatchmanPeer, root: str
) -> None:
    assert "warning" not in peer.ask("subscribe", root, "s", NAMES)
    assert "not unique" in peer.ask("subscribe", root, "s", NAMES)["warning"]
    assert peer.session.subscription_count == 1


def test_a_connection_has_a_limited_number_of_subscriptions(
    peer: WatchmanPeer, root: str
) -> None:
    peer.home.service.limit(ClientLimits(subscriptions=1))
    peer.ask("subscribe", root, "one", NAMES)
    refused = peer.ask("subscribe", root, "two", NAMES)
    assert refused["error"].endswith("no more than 1 subscriptions")


def test_names_that_the_server_keeps_have_a_limited_length(
    peer: WatchmanPeer, root: str
) -> None:
    name = "x" * (module.MAX_NAME + 1)
    assert "too long" in peer.ask("subscribe", root, name, NAMES)["error"]
    assert "too long" in peer.ask("state-enter", root, name)["error"]


def test_a_state_is_asserted_by_one_client_at_a_time(
    peer: WatchmanPeer, root: str
) -> None:
    peer.ask("subscribe", root, "s", NAMES)
    peer.message()
    assert peer.ask("state-enter", root, "busy")["state-enter"] == "busy"
    assert peer.message()["state-enter"] == "busy"
    assert "error" in peer.home.watcher().ask("state-enter", root, "busy")
    assert "busy" in str(peer.ask("debug-get-asserted-states", root))
    assert peer.ask("state-leave", root, "busy")["state-leave"] == "busy"
    assert "error" in peer.ask("state-leave", root, "busy")


def test_what_was_deferred_comes_after_the_reply_that_ends_the_state(
    peer: WatchmanPeer, root: str
) -> None:
    peer.ask("subscribe", root, "s", {**NAMES, "defer": ["busy"]})
    peer.message()
    peer.ask("state-enter", root, "busy")
    assert peer.message()["state-enter"] == "busy"
    Path(root, "new").touch()
    peer.ask("clock", root)
    assert not any("files" in message for message in peer.messages)
    reply = peer.ask("state-leave", root, "busy")
    assert peer.message()["state-leave"] == "busy"
    report = peer.message()
    assert report["files"] == ["new"]
    assert peer.arrived.index(reply) < peer.arrived.index(report)


def test_a_flush_names_how_long_it_may_wait(peer: WatchmanPeer, root: str) -> None:
    reply = peer.ask("flush-subscriptions", root, {})
    assert reply["error"] == "key 'sync_timeout' is not present in this json object"


def test_a_flush_names_what_came_of_each_subscription(
    peer: WatchmanPeer, root: str
) -> None:
    query = {**NAMES, "defer": ["busy"]}
    peer.ask("subscribe", root, "s", query)
    peer.message()
    peer.ask("state-enter", root, "busy")
    Path(root, "new").touch()
    reply = peer.ask("flush-subscriptions", root, {"sync_timeout": 1000})
    assert reply["synced"] == ["s"]
    again = peer.ask("flush-subscriptions", root, {"sync_timeout": 1000})
    assert again["no_sync_needed"] == ["s"]


@pytest.mark.parametrize("name", ["unknown", "elsewhere"])
def test_only_subscriptions_of_the_root_are_flushed(
    name: str, peer: WatchmanPeer, root: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = str(tmp_path_factory.mktemp("other"))
    peer.ask("watch", other)
    peer.ask("subscribe", other, "elsewhere", NAMES)
    wanted = {"sync_timeout": 1000, "subscriptions": [name]}
    assert name in peer.ask("flush-subscriptions", root, wanted)["error"]


def test_a_subscription_of_ours_watches_whatever_is_there(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing")
    query = {**NAMES, "watch": True}
    assert peer.ask("subscribe", missing, "s", query)["subscribe"] == "s"
    assert peer.ask("watch-list")["roots"] == []


def test_a_line_for_the_log_has_its_client_and_nothing_to_act(
    peer: WatchmanPeer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.ask("log", "error", "hello\x1b[2J\n")
    assert caplog.messages == ["1: hello\\x1b[2J\\n"]


def test_the_answer_for_a_root_that_is_gone_is_an_error(
    peer: WatchmanPeer, root: str
) -> None:
    os.rename(root, root + "-moved")
    assert "error" in peer.ask("query", root, NAMES)


def test_a_connection_that_gave_up_its_privileges_makes_no_new_watch(
    peer: WatchmanPeer, root: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert peer.ask("debug-drop-privs")["owner"] is False
    assert "process owner" in peer.ask("shutdown-server")["error"]
    assert peer.home.host.stops == 0
    assert peer.ask("watch", root)["watch"] == root
    other = str(tmp_path_factory.mktemp("other"))
    assert "not the process owner" in peer.ask("watch", other)["error"]
    assert peer.ask("watch-list")["roots"] == [root]


def test_names_of_subscriptions_are_unique_where_the_root_says_so(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    config = tmp_path / ".watchmanconfig"
    config.write_text('{"enforce_unique_subscription_names": true}')
    root = str(tmp_path)
    peer.ask("watch", root)
    assert "error" not in peer.ask("subscribe", root, "s", NAMES)
    assert "is not unique" in peer.ask("subscribe", root, "s", NAMES)["error"]
    peer.ask("unsubscribe", root, "s")
    assert "error" not in peer.ask("subscribe", root, "s", NAMES)


def test_a_client_may_ask_what_happened_beyond_the_reports(
    server: Home, peer: WatchmanPeer, tmp_path: Path
) -> None:
    path, file, single = str(tmp_path), tmp_path / "file", str(tmp_path / "file")
    file.touch()
    options = {"fields": ["name"], "watch": True, "settle": 0}
    for each in (path, single):
        assert "error" not in peer.ask("subscribe", each, "s", options)
        assert peer.ask("gamin-activity", each, "s", [""])["activity"] == [None]
    names = ["file", "other"]
    while True:  # each question is a report, and a few of them within a second are many
        file.write_text("text")
        reply = peer.ask("gamin-activity", path, "s", names)
        busy, other = reply["activity"]
        assert other is None
        if busy is not None and busy[1]:
            break
    last, _, interval = busy
    assert last <= reply["now"]
    assert interval == 0
    (found,) = peer.ask("gamin-activity", single, "s", [""])["activity"]
    assert found is not None


def test_what_happened_is_said_to_subscribers_alone(
    peer: WatchmanPeer, root: str
) -> None:
    reply = peer.ask("gamin-activity", root, "mine", ["old"])
    assert "no subscription 'mine'" in reply["error"]
    for wrong in ([root, "mine"], [root, "mine", "old"], [root, "mine", ["x"] * 1001]):
        assert "error" in peer.ask("gamin-activity", *wrong)


def test_a_deleted_row_has_its_last_size_and_mode(
    peer: WatchmanPeer, root: str
) -> None:
    Path(root, "old").write_text("text")
    fields = ["name", "exists", "size", "mode"]
    before = peer.ask("query", root, {"fields": fields})
    os.unlink(os.path.join(root, "old"))
    gone = peer.ask("query", root, {"fields": fields, "since": before["clock"]})
    assert gone["files"] == [{**before["files"][0], "exists": False}]
    assert gone["files"][0]["size"] == 4
