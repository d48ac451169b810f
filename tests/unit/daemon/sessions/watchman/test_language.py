"""The parts of the language's server side, put together."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.sessions import Home, home


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A server that remembers; its state is in `tmp_path/state`."""
    monkeypatch.delenv("GAMIN_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with home() as made:
        yield made


def test_roots_and_rules_hear_of_everything(server: Home) -> None:
    names = [str(session) for session in server.service.sessions]
    assert names == ["roots", "ignore files"]
    assert len(server.service.scan_observers) == 1


def test_each_session_asks_the_same_roots(server: Home, tmp_path: Path) -> None:
    server.watcher().ask("watch", str(tmp_path))
    assert server.watcher().ask("watch-list")["roots"] == [str(tmp_path)]


def test_what_is_known_is_saved_at_the_end(server: Home, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    server.watcher().ask("watch", str(tree))
    server.watchman.save()
    assert os.listdir(tmp_path / "state/gamin")
    assert server.watchman.memory.size() > 0
