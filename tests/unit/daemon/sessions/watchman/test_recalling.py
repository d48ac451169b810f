"""What a client's `since` is about, and that the first scan compares it."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gamin.daemon.sessions.watchman import memory as memory_module
from gamin.daemon.sessions.watchman.comparison import Comparison
from testkit.sessions import START, Home, home

_STARTS = itertools.count(START)
QUERY = {"fields": ["name"], "watch": True}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAMIN_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for folder in ("a/b", "c"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "file").touch()
    return tree


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Comparison]:
    """The comparisons that were made."""
    made: list[Comparison] = []

    class Recorded(Comparison):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(memory_module, "Comparison", Recorded)
    return made


@contextmanager
def served() -> Iterator[Home]:
    with home(next(_STARTS)) as server:
        yield server
        server.watchman.save()


def subscribed(server: Home, tree: Path, **options: object) -> dict[str, Any]:
    """The first message of a subscription."""
    peer = server.watcher()
    peer.ask("subscribe", str(tree), "s", {**QUERY, **options})
    message: dict[str, Any] = peer.message()
    return message


def clock_of(tree: Path) -> str:
    with served() as server:
        clock: str = subscribed(server, tree)["clock"]
    return clock


def test_the_first_scan_compares_the_tree_that_the_clock_is_about(
    tree: Path, made: list[Comparison]
) -> None:
    clock = clock_of(tree)
    (tree / "a/b/new").touch()
    (tree / "c/file").unlink()
    with served() as server:
        message = subscribed(server, tree, since=clock)
        assert server.service.drive.files.comparing is None
    [comparison] = made
    assert {bytes(tree / d) for d in ("", "a", "a/b", "c")} == set(comparison.seen)
    assert message["is_fresh_instance"] is False
    assert {"a/b/new", "c/file"} <= set(message["files"])


def test_a_named_cursor_leads_to_its_tree(tree: Path, made: list[Comparison]) -> None:
    with served() as server:
        subscribed(server, tree, since="n:mine")
    (tree / "new").touch()
    with served() as server:
        message = subscribed(server, tree, since="n:mine")
    assert len(made) == 1
    assert message["is_fresh_instance"] is False
    assert "new" in message["files"]


def test_a_tree_that_is_watched_already_is_scanned_for_the_comparison(
    tree: Path, made: list[Comparison]
) -> None:
    clock = clock_of(tree)
    (tree / "new").touch()
    with served() as server:
        subscribed(server, tree)
        message = subscribed(server, tree, since=clock)
    assert not made
    assert message["is_fresh_instance"] is False
    assert "new" in message["files"]


def test_a_tree_of_which_a_part_is_watched_already_is_scanned_again(
    tree: Path, made: list[Comparison]
) -> None:
    clock = clock_of(tree)
    (tree / "a/b/new").touch()
    with served() as server:
        subscribed(server, tree / "a")
        message = subscribed(server, tree, since=clock)
    [comparison] = made
    assert bytes(tree / "a/b") not in comparison.seen
    assert message["is_fresh_instance"] is False
    assert "a/b/new" in message["files"]


def test_a_path_through_a_link_leads_to_the_same_tree(
    tree: Path, made: list[Comparison]
) -> None:
    link = tree.parent / "link"
    link.symlink_to(tree)
    with served() as server:
        clock = subscribed(server, link)["clock"]
    (tree / "new").touch()
    with served() as server:
        message = subscribed(server, link, since=clock)
    assert bytes(tree) in made[0].seen
    assert "new" in message["files"]


def test_a_client_without_a_clock_loads_nothing(
    tree: Path, made: list[Comparison]
) -> None:
    clock_of(tree)
    with served() as server:
        assert subscribed(server, tree)["is_fresh_instance"] is True
        assert subscribed(server, tree, since="c:1:2:3:4")["is_fresh_instance"] is True
    assert not made
    assert os.path.isdir(tree)
