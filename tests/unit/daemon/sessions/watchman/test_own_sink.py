"""What the configuration of a root has the server do by itself."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from testkit.sessions import WatchmanPeer


def root(path: Path, **config: object) -> Path:
    path.mkdir()
    (path / ".watchmanconfig").write_text(json.dumps(config))
    return path


def hashes(peer: WatchmanPeer, root: Path) -> dict[str, Any]:
    return peer.ask("debug-contenthash", str(root))


def wait_for_hashes(peer: WatchmanPeer, root: Path, count: int) -> None:
    peer.home.run_until(lambda: hashes(peer, root)["size"] == count, what="hashes")


def test_files_are_hashed_before_a_client_asks(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    warm = root(tmp_path / "warm", content_hash_warming=True)
    cold = root(tmp_path / "cold")
    (warm / "file").write_text("one")
    (warm / "directory").mkdir()
    for path in (warm, cold):
        peer.ask("watch", str(path))
    wait_for_hashes(peer, warm, 2)
    assert hashes(peer, cold)["size"] == 0
    (warm / "file").write_text("two, longer")
    wait_for_hashes(peer, warm, 3)
    query = {"path": ["file"], "fields": ["content.sha1hex"]}
    found = peer.ask("query", str(warm), query)["files"]
    assert found == [hashlib.sha1(b"two, longer").hexdigest()]
    assert hashes(peer, warm)["cacheHit"] == 1


def test_only_so_many_files_are_hashed_after_a_change(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    limits = {"content_hash_max_warm_per_settle": 1, "content_hash_warming": True}
    warm = root(tmp_path / "warm", **limits)
    (warm / "file").write_text("one")
    peer.ask("watch", str(warm))
    wait_for_hashes(peer, warm, 1)
    (warm / "later").write_text("two")
    wait_for_hashes(peer, warm, 2)


def test_only_so_many_hashes_of_a_root_are_kept(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    path = root(tmp_path / "root", content_hash_max_items=1)
    peer.ask("watch", str(path))
    (path / "file").write_text("one")
    query = {"path": [""], "fields": ["name", "content.sha1hex"]}
    assert len(peer.ask("query", str(path), query)["files"]) == 2
    assert hashes(peer, path)["size"] == 1
    assert hashes(peer, path)["cacheMiss"] == 2


def test_the_projects_that_symlinks_lead_to_are_watched(
    peer: WatchmanPeer, tmp_path: Path
) -> None:
    first, second, third, later = (
        root(tmp_path / name, watch_symlinks=True) for name in ("a", "b", "c", "d")
    )
    (tmp_path / "no project").mkdir()
    (first / "out").symlink_to(tmp_path / "no project")
    (first / "gone").symlink_to(tmp_path / "nowhere" / "at all")
    (second / "link").symlink_to(third / "file")
    (first / "link").symlink_to(os.path.relpath(second / "link", first))

    def watched(*roots: Path) -> bool:
        return set(peer.ask("watch-list")["roots"]) == set(map(str, roots))

    peer.ask("watch", str(first))
    peer.home.run_until(lambda: watched(first, second, third), what="three roots")
    (third / "link").symlink_to(later)
    peer.home.run_until(lambda: watched(first, second, third, later), what="a fourth")


def test_symlinks_are_not_followed_unasked(peer: WatchmanPeer, tmp_path: Path) -> None:
    first, second = root(tmp_path / "a"), root(tmp_path / "b")
    (first / "link").symlink_to(second)
    peer.ask("watch", str(first))
    peer.ask("query", str(first), {})
    assert peer.ask("watch-list")["roots"] == [str(first)]
