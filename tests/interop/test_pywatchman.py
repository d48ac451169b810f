"""Watchman's own Python client with our server, in each of the three encodings."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testkit.daemon import Daemon, daemon
from testkit.waiting import eventually

pywatchman = pytest.importorskip("pywatchman")

ENCODINGS = {"BSER 1": "bser", "BSER 2": "bser", "JSON": "json"}
"""What pywatchman calls them; it has lost its name for version 1."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("served")
    with daemon(f"test-{folder.parent.name}-{folder.name}", folder) as served:
        yield served


@pytest.fixture(params=ENCODINGS)
def client(request: pytest.FixtureRequest, served: Daemon) -> Iterator[Any]:
    [path] = [path for path in served.sockets() if path.name.startswith("modern-")]
    encoding = ENCODINGS[request.param]
    client = pywatchman.client(
        sockpath=str(path), timeout=20, sendEncoding=encoding, recvEncoding=encoding
    )
    if request.param == "BSER 1":
        version_1 = client._makeBSERCodec(pywatchman.BserCodec)
        client.sendCodec = client.recvCodec = version_1
    with client:
        yield client


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").write_text("12345")
    (tmp_path / "sub" / "b.py").touch()
    return tmp_path.resolve()


def received(client: Any, root: Path, name: str) -> list[str]:
    """The names in the messages of a subscription until one has some."""
    names: list[str] = []

    def has_come() -> bool:
        client.receive()
        for message in client.getSubscription(name, root=str(root)) or ():
            names.extend(message["files"])
        return bool(names)

    eventually(has_come, what="a message with files")
    return names


def test_capabilities_are_negotiated(client: Any) -> None:
    reply = client.capabilityCheck(
        required=["bser-v2", "cmd-watch-project", "wildmatch", "term-dirname"],
        optional=["no-such-thing"],
    )
    assert reply["capabilities"]["bser-v2"]
    assert not reply["capabilities"]["no-such-thing"]


def test_a_project_is_watched_and_has_a_clock(client: Any, root: Path) -> None:
    (root / ".git").mkdir()
    reply = client.query("watch-project", str(root / "sub"))
    assert (reply["watch"], reply["relative_path"]) == (str(root), "sub")
    assert client.query("clock", str(root))["clock"].startswith("c:")


def test_a_query_finds_files_and_what_changed_since(client: Any, root: Path) -> None:
    client.query("watch", str(root))
    fields = ["name", "exists", "size", "type"]
    query = {"expression": ["suffix", "py"], "fields": fields}
    reply = client.query("query", str(root), query)
    assert reply["is_fresh_instance"]
    assert sorted(reply["files"], key=lambda row: row["name"]) == [
        {"name": "a.py", "exists": True, "size": 5, "type": "f"},
        {"name": "sub/b.py", "exists": True, "size": 0, "type": "f"},
    ]
    (root / "a.py").unlink()
    query |= {"since": reply["clock"], "fields": ["name", "exists"]}
    reply = client.query("query", str(root), query)
    assert not reply["is_fresh_instance"]
    assert reply["files"] == [{"name": "a.py", "exists": False}]


def test_one_field_gives_names_alone(client: Any, root: Path) -> None:
    client.query("watch", str(root))
    reply = client.query("query", str(root), {"suffix": "py", "fields": ["name"]})
    assert sorted(reply["files"]) == ["a.py", "sub/b.py"]


def test_a_name_that_is_not_utf_8_comes_as_its_bytes(client: Any, root: Path) -> None:
    path = os.fsencode(root) + b"/\xff.odd"
    with open(path, "wb"):
        pass
    client.query("watch", str(root))
    reply = client.query("query", str(root), {"suffix": "odd", "fields": ["name"]})
    assert [os.fsencode(name) for name in reply["files"]] == [b"\xff.odd"]


def test_a_subscription_reports_what_happens(client: Any, root: Path) -> None:
    client.query("watch", str(root))
    clock = client.query("clock", str(root))["clock"]
    wanted = {"fields": ["name"], "since": clock}
    reply = client.query("subscribe", str(root), "s", wanted)
    assert reply["subscribe"] == "s"
    (root / "new.py").touch()
    assert "new.py" in received(client, root, "s")
    assert client.query("unsubscribe", str(root), "s")["deleted"]


def test_a_state_defers_a_subscription_and_is_announced(
    client: Any, root: Path
) -> None:
    client.query("watch", str(root))
    clock = client.query("clock", str(root))["clock"]
    wanted = {"fields": ["name"], "since": clock, "defer": ["busy"]}
    client.query("subscribe", str(root), "s", wanted)
    client.query("state-enter", str(root), {"name": "busy", "metadata": {"why": 1}})
    [entered] = client.getSubscription("s", root=str(root))
    assert (entered["state-enter"], entered["metadata"]) == ("busy", {"why": 1})
    (root / "new.py").touch()
    client.query("clock", str(root), {"sync_timeout": 1000})
    assert not client.getSubscription("s", root=str(root))
    flushed = client.query("flush-subscriptions", str(root), {"sync_timeout": 1000})
    assert flushed["synced"] == ["s"]
    [message] = client.getSubscription("s", root=str(root))
    assert "new.py" in message["files"]
    client.query("state-leave", str(root), "busy")
    [left] = client.getSubscription("s", root=str(root))
    assert left["state-leave"] == "busy"


def test_a_state_of_a_client_that_is_gone_is_abandoned(
    client: Any, served: Daemon, root: Path
) -> None:
    client.query("watch", str(root))
    client.query("subscribe", str(root), "s", {"since": "n:s", "fields": ["name"]})
    client.getSubscription("s", root=str(root))
    [path] = [path for path in served.sockets() if path.name.startswith("modern-")]
    with pywatchman.client(sockpath=str(path), timeout=20) as other:
        other.query("state-enter", str(root), "busy")
    states: list[Any] = []

    def is_abandoned() -> bool:
        client.receive()
        for message in client.getSubscription("s", root=str(root)) or ():
            states.append(message.get("abandoned"))
        return True in states

    eventually(is_abandoned, what="the end of the state")


def test_a_root_that_is_removed_is_not_watched_any_more(
    client: Any, root: Path
) -> None:
    gone = root / "gone"
    gone.mkdir()
    client.query("watch", str(gone))
    clock = client.query("clock", str(gone))["clock"]
    client.query("subscribe", str(gone), "s", {"since": clock, "fields": ["name"]})
    gone.rmdir()
    messages: list[Any] = []

    def is_canceled() -> bool:
        client.receive()
        messages.extend(client.getSubscription("s", root=str(gone)) or ())
        return any(message.get("canceled") for message in messages)

    eventually(is_canceled, what="the end of the subscription")
    assert str(gone) not in client.query("watch-list")["roots"]
    with pytest.raises(pywatchman.CommandError, match="is not watched"):
        client.query("clock", str(gone))


def test_the_roots_own_configuration_counts(client: Any, root: Path) -> None:
    (root / "build").mkdir()
    (root / "build" / "c.py").touch()
    (root / ".watchmanconfig").write_text('{"ignore_dirs": ["build"]}')
    client.query("watch", str(root))
    assert client.query("get-config", str(root))["config"] == {"ignore_dirs": ["build"]}
    reply = client.query("query", str(root), {"fields": ["name"], "path": [""]})
    assert "build" not in reply["files"]
    assert "build/c.py" not in reply["files"]
    clock = reply["clock"]
    (root / "build" / "new").touch()
    changed = {"since": clock, "fields": ["name"]}
    assert client.query("query", str(root), changed)["files"] == []


def test_a_configuration_that_is_no_json_is_refused(client: Any, root: Path) -> None:
    (root / ".watchmanconfig").write_text('{"ignore_dirs": [],}')
    with pytest.raises(pywatchman.CommandError, match=r"failed to parse json.*config"):
        client.query("watch", str(root))


def test_states_and_cursors_can_be_listed(client: Any, root: Path) -> None:
    client.query("watch", str(root))
    client.query("state-enter", str(root), "busy")
    listed = client.query("debug-get-asserted-states", str(root))
    assert listed["states"] == [{"name": "busy", "state": "Asserted"}]
    clock = client.query("query", str(root), {"since": "n:mine"})["clock"]
    assert client.query("debug-show-cursors", str(root))["cursors"] == {"n:mine": clock}


def test_a_client_can_write_to_the_log_of_the_server(
    client: Any, served: Daemon
) -> None:
    assert client.query("log", "error", "so it is")["logged"]
    assert any("so it is" in line for line in served.log())
    with pytest.raises(pywatchman.CommandError, match="invalid log level for 'log'"):
        client.query("log", "loud", "so it is")


def test_an_error_is_one_for_the_client_too(client: Any, root: Path) -> None:
    with pytest.raises(pywatchman.CommandError, match="is not watched"):
        client.query("clock", str(root / "nowhere"))
    assert client.query("version")["version"]


def test_a_large_answer_comes_whole(client: Any, root: Path) -> None:
    many = [f"file-{number:05}" for number in range(3000)]
    for name in many:
        (root / name).touch()
    client.query("watch", str(root))
    wanted = {"expression": ["match", "file-*"], "fields": ["name", "exists", "mode"]}
    files = client.query("query", str(root), wanted)["files"]
    assert sorted(row["name"] for row in files) == many
