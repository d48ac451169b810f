"""What is seen of a directory's entries holds until something happens in it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gamin.core.model.node import Node
from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman import known_types as module
from gamin.daemon.sessions.watchman import plain_listing
from testkit.sessions import WatchmanPeer

LINKS: dict[str, object] = {"fields": ["name"], "expression": ["type", "l"]}
FILES: dict[str, object] = {"fields": ["name"], "expression": ["type", "f"]}


class Forgetful(dict[Node, tuple[int, Mapping[bytes, int]]]):
    """Never has what was put in."""

    def __setitem__(self, node: Node, known: tuple[int, Mapping[bytes, int]]) -> None:
        pass


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

    def counted(directory: bytes) -> Steps[dict[bytes, int]]:
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


def test_a_large_directory_is_read_in_slices(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PER_STEP", 4)
    for number in range(20):
        (root / "sub" / f"link{number}").symlink_to("c")
    assert len(found(peer, root, LINKS)) == 20
    [made] = peer.home.watchman.roots.all
    node = made.top
    assert node is not None
    sub = node.child(b"sub")
    assert sub is not None
    results: list[Mapping[bytes, int]] = []

    def read() -> Iterator[object]:
        others = module.KnownTypes().others(sub, made.timeline.latest)
        results.append((yield from others))

    pauses = list(read())
    assert [len(types) for types in results] == [20]
    assert len(pauses) >= 5


def test_a_directory_is_read_once_for_a_query_however_many_batches_it_has(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    general = module._read

    def counted(directory: bytes) -> Steps[dict[bytes, int]]:
        read.append(directory)
        return general(directory)

    monkeypatch.setattr(module, "_read", counted)
    monkeypatch.setattr(plain_listing, "NAMES_PER_STEP", 1)
    monkeypatch.setattr(plain_listing, "MIN_NAMES_PER_STEP", 1)
    [made] = peer.home.watchman.roots.all
    made.last_stats.types._others = Forgetful()  # as for directories that are busy
    assert found(peer, root, FILES) == {"a", "b", "sub/c"}
    assert sorted(read) == [bytes(root) + b"/", bytes(root) + b"/sub/"]


def test_removed_directories_are_forgotten(
    peer: WatchmanPeer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_NEW", 1)
    for number in range(10):
        (root / f"brief{number}").mkdir()
        (root / f"brief{number}/file").touch()
        assert f"brief{number}/file" in found(peer, root, FILES)
        (root / f"brief{number}/file").unlink()
        (root / f"brief{number}").rmdir()
    [made] = peer.home.watchman.roots.all
    assert found(peer, root, LINKS) == set()
    known = made.last_stats.types._others
    assert sum(not node.is_linked for node in known) <= 1
