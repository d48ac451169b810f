"""What is seen of a directory's entries holds until something happens in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman import known_types as module
from testkit.sessions import Home, WatchmanPeer, home

LINKS: dict[str, object] = {"fields": ["name"], "expression": ["type", "l"]}
FILES: dict[str, object] = {"fields": ["name"], "expression": ["type", "f"]}


@pytest.fixture
def server() -> Iterator[Home]:
    with home() as made:
        yield made


@pytest.fixture
def peer(server: Home) -> WatchmanPeer:
    return server.watcher()


@pytest.fixture
def root(peer: WatchmanPeer, tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a", "b", "sub/c"):
        (tmp_path / name).touch()
    peer.ask("watch", str(tmp_path))
    return tmp_path


def found(peer: WatchmanPeer, root: Path, query: dict[str, object]) -> set[str]:
    return set(peer.ask("query", str(root), query)["files"])


def test_an_entry_that_becomes_something_else_is_looked_at_again(
    peer: WatchmanPeer, root: Path
) -> None:
    assert found(peer, root, LINKS) == set()
    assert found(peer, root, FILES) == {"a", "b", "sub/c"}
    (root / "a").unlink()
    (root / "a").symlink_to("b")
    (root / "new").symlink_to("a")
    os.rename(root / "new", root / "sub/c")  # over a file
    os.mkfifo(root / "pipe")
    assert found(peer, root, LINKS) == {"a", "sub/c"}
    assert found(peer, root, FILES) == {"b"}
    (root / "sub/c").unlink()
    (root / "sub/c").touch()
    assert found(peer, root, LINKS) == {"a"}
    assert found(peer, root, FILES) == {"b", "sub/c"}


def test_a_directory_is_read_once_while_nothing_happens_in_it(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    general = module._read

    def counted(directory: bytes) -> dict[bytes, int]:
        read.append(directory)
        return general(directory)

    monkeypatch.setattr(module, "_read", counted)
    assert found(peer, root, FILES) == found(peer, root, FILES)
    assert sorted(read) == [bytes(root) + b"/", bytes(root) + b"/sub/"]
    (root / "sub/d").symlink_to("c")
    assert found(peer, root, LINKS) == {"sub/d"}
    assert bytes(root) + b"/sub/" in read[2:]


def test_only_so_many_directories_are_known(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 1)
    (root / "link").symlink_to("a")
    for _ in range(2):
        assert found(peer, root, LINKS) == {"link"}
    [made] = peer.home.watchman.roots.all
    assert len(made.last_stats.types._others) == 1
