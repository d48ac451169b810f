"""Roots that are watched for good: what may be one, how it ends, and restarts."""

import json
import os
import time
from pathlib import Path

import pytest

from testkit.sessions import WatchmanPeer, home

NAMES = {"fields": ["name"]}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the servers of the test keep what is watched."""
    path = tmp_path / "state.json"
    monkeypatch.setenv("GAMIN_WATCHMAN_STATE", str(path))
    monkeypatch.setenv("WATCHMAN_CONFIG_FILE", str(tmp_path / "config.json"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return path


@pytest.fixture
def root(tmp_path: Path) -> str:
    path = tmp_path / "root"
    path.mkdir()
    (path / "file").touch()
    return str(path)


def saved(state: Path) -> list[dict[str, object]]:
    watched: list[dict[str, object]] = json.loads(state.read_text())["watched"]
    return watched


def test_roots_and_triggers_are_there_after_a_restart(
    peer: WatchmanPeer, root: str, state: Path
) -> None:
    trigger = {"name": "t", "command": ["touch", "../ran"], "expression": "exists"}
    peer.ask("watch", root)
    assert peer.ask("trigger", root, trigger)["disposition"] == "created"
    peer.home.run_until(lambda: state.exists() and saved(state)[0]["triggers"])
    with home() as again:
        other = again.watcher()
        assert other.ask("watch-list")["roots"] == [root]
        assert other.ask("query", root, NAMES)["files"] == ["file"]
        again.run_until(lambda: other.ask("trigger-list", root)["triggers"])
        assert other.ask("trigger-list", root)["triggers"] == [trigger]
        ran = Path(root).parent / "ran"
        again.run_until(ran.exists, what="the trigger")


def test_the_end_of_a_server_saves_what_is_watched(
    peer: WatchmanPeer, root: str, state: Path
) -> None:
    peer.ask("watch", root)
    peer.home.watchman.save()
    assert [each["path"] for each in saved(state)] == [root]


def test_nothing_is_kept_when_nothing_is_watched_any_more(
    peer: WatchmanPeer, root: str, state: Path
) -> None:
    peer.ask("watch", root)
    peer.home.run_until(state.exists)
    peer.ask("watch-del", root)
    peer.home.run_until(lambda: not state.exists())


def test_a_root_that_is_not_there_after_a_restart_is_dropped(
    root: str, state: Path
) -> None:
    watched = [{"path": path, "triggers": []} for path in (root + "-gone", root)]
    state.write_text(json.dumps({"gamin": 1, "watched": watched}))
    with home() as server:
        assert server.watcher().ask("watch-list")["roots"] == [root]
        server.run_until(lambda: len(saved(state)) == 1)


def test_a_file_that_cannot_be_believed_leaves_a_server_without_watches(
    root: str, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state.write_text(json.dumps({"watched": [{"path": root}]}))
    os.chmod(state, 0o666)
    with home() as server:
        assert server.watcher().ask("watch-list")["roots"] == []
    assert "others may write it" in caplog.text


def test_a_trigger_that_makes_no_sense_any_more_is_dropped(
    root: str, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    triggers = [{"name": "t", "command": []}, {"name": "u", "command": ["true"]}]
    state.write_text(json.dumps({"watched": [{"path": root, "triggers": triggers}]}))
    with home() as server:
        peer = server.watcher()
        server.run_until(lambda: peer.ask("trigger-list", root)["triggers"])
        names = [t["name"] for t in peer.ask("trigger-list", root)["triggers"]]
    assert names == ["u"]
    assert "invalid command array" in caplog.text


@pytest.mark.parametrize(("age", "is_kept"), [(5, True), (100, False)])
def test_a_root_that_nobody_needed_for_long_is_dropped_at_a_restart(
    age: int, is_kept: bool, root: str, state: Path
) -> None:
    Path(root, ".watchmanconfig").write_text('{"idle_reap_age_seconds": 50}')
    used = int(time.time()) - age
    state.write_text(json.dumps({"watched": [{"path": root, "used": used}]}))
    with home() as server:
        peer = server.watcher()
        assert (root in peer.ask("watch-list")["roots"]) is is_kept


def test_a_root_is_dropped_when_nobody_needed_it_for_its_time(
    peer: WatchmanPeer, root: str
) -> None:
    Path(root, ".watchmanconfig").write_text('{"idle_reap_age_seconds": 1}')
    peer.ask("watch", root)
    peer.home.run_until(lambda: peer.ask("watch-list")["roots"] == [])


def test_a_root_must_have_one_of_the_files_that_the_configuration_demands(
    peer: WatchmanPeer, root: str, tmp_path: Path
) -> None:
    config = {"root_files": [".a"], "enforce_root_files": True}
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    refused = peer.ask("watch", root)["error"]
    assert (
        f"Your watchman administrator has configured watchman to prevent watching path "
        f"`{root}`.  None of the files listed in global config root_files are present "
        f"and enforce_root_files is set to true.  root_files is defined by the `{file}`"
        " config file and includes `.watchmanconfig`, and `.a`.  One or more of these "
        "files must be present in order to allow a watch.  Try pulling and checking "
        "out a newer version of the project?"
    ) in refused
    refused = peer.ask("watch-project", root)["error"]
    assert "resolve_projpath:  None of the files listed" in refused
    assert "to allow a watch. Try pulling" in refused
    Path(root, ".a").touch()
    assert peer.ask("watch-project", root)["watch"] == root


def test_a_type_of_file_system_may_be_forbidden(
    peer: WatchmanPeer, root: str, tmp_path: Path
) -> None:
    kind = peer.home.watchman.roots.file_system(root.encode())
    config = {"illegal_fstypes": [kind], "illegal_fstypes_advice": "just cos"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert peer.ask("watch", root)["error"].endswith(
        "filesystem and is disallowed by global config illegal_fstypes: just cos"
    )


def test_a_mistake_in_the_global_configuration_is_the_answer_to_a_watch(
    peer: WatchmanPeer, root: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"root_files": 5}')
    assert f"{file}: root_files must be" in peer.ask("watch", root)["error"]
    file.write_text('{"settle": 5, "ignore_dirs": ["out"]}')
    os.mkdir(os.path.join(root, "out"))
    assert peer.ask("watch", root)["watch"] == root
    assert peer.ask("query", root, NAMES)["files"] == ["file"]
    assert peer.ask("get-config", root)["config"] == {}
