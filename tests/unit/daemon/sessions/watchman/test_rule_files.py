"""Ignore files are read before what they hide, and followed when they change."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from gamin.system.spare_descriptor import SPARE
from testkit.descriptors import all_descriptors_taken
from testkit.sessions import Home, WatchmanPeer

QUERY = {"fields": ["name"], "watch": True, "vcs_ignore": True, "settle": 0.0}
IGNORE_FILE = re.compile(r"(^|/)\.git(ignore$|$|/)")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository that ignores objects."""
    tree = tmp_path / "tree"
    (tree / ".git/info").mkdir(parents=True)
    (tree / ".git/HEAD").touch()
    (tree / "src").mkdir()
    for name in ("a.c", "a.o", "src/b.c", "src/b.o"):
        (tree / name).touch()
    (tree / ".gitignore").write_text("*.o\n")
    return tree


def following(server: Home, path: Path) -> tuple[WatchmanPeer, set[str]]:
    """A subscriber, and the names of its first message."""
    peer = server.watcher()
    assert "error" not in peer.ask("subscribe", str(path), "s", QUERY)
    return peer, names(peer.message())


def names(message: dict[str, Any]) -> set[str]:
    return {name for name in message["files"] if not IGNORE_FILE.search(name)}


def until(peer: WatchmanPeer, wanted: set[str]) -> None:
    """Messages until all of the wanted names came; none besides them may."""
    left = set(wanted)
    while left:
        came = names(peer.message())
        assert came <= wanted
        left -= came


def test_what_the_rules_ignore_is_never_listed(server: Home, tree: Path) -> None:
    assert following(server, tree)[1] == {"a.c", "src", "src/b.c"}


def test_rules_of_the_repository_hold_in_a_directory_of_it(
    server: Home, tree: Path
) -> None:
    assert following(server, tree / "src")[1] == {"b.c"}


def test_a_rule_that_goes_shows_what_it_hid(server: Home, tree: Path) -> None:
    peer, _ = following(server, tree)
    (tree / ".gitignore").unlink()
    until(peer, {"a.o", "src/b.o"})


def test_a_rule_that_comes_hides_what_was_shown(server: Home, tree: Path) -> None:
    peer, _ = following(server, tree)
    (tree / "src/.gitignore").write_text("b.c\n")
    until(peer, {"src/b.c"})


def test_the_repository_s_own_excludes_are_followed(server: Home, tree: Path) -> None:
    peer, _ = following(server, tree)
    (tree / ".git/info/exclude").write_text("a.c\n")
    until(peer, {"a.c"})


def test_a_rule_above_the_root_is_followed(server: Home, tree: Path) -> None:
    peer, _ = following(server, tree / "src")
    (tree / ".gitignore").write_text("*.c\n")
    until(peer, {"b.c", "b.o"})


def test_an_ignore_file_that_was_one_too_many_is_followed_once_others_shrink(
    server: Home, tree: Path
) -> None:
    large = "".join(f"*{number}a*b*c*d\n" for number in range(1000))
    folders = [tree / f"d{number}" for number in range(16)]
    for folder in folders:
        folder.mkdir()
        (folder / "x1axbxcxd").touch()
        (folder / ".gitignore").write_text(large)
    peer, first = following(server, tree)
    shown = {name for name in first if name.endswith("d") and "/" in name}
    hidden = [each for each in folders if f"{each.name}/x1axbxcxd" not in shown]
    assert shown
    assert len(hidden) >= len(shown)
    for folder in hidden[: len(shown)]:
        (folder / ".gitignore").write_text("nothing\n")
    until(peer, {f"{each.name}/x1axbxcxd" for each in hidden[: len(shown)]} | shown)


def test_an_inner_repository_has_excludes_of_its_own(server: Home, tree: Path) -> None:
    peer, _ = following(server, tree)
    inner = tree / "src" / ".git"
    (inner / "info").mkdir(parents=True)
    (inner / "info/exclude").write_text("b.c\n")
    (inner / "HEAD").touch()
    until(peer, {"src/b.c", "src/b.o"})


def test_who_waits_until_changes_settle_gets_everything_again(
    server: Home, tree: Path
) -> None:
    peer = server.watcher()
    peer.ask("subscribe", str(tree), "s", {**QUERY, "settle": 0.02})
    peer.message()
    (tree / ".gitignore").unlink()
    message = peer.message()
    assert message["is_fresh_instance"] is True
    assert names(message) == {"a.c", "a.o", "src", "src/b.c", "src/b.o"}


def test_rules_stay_in_force_where_no_descriptor_is_free(
    server: Home, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "same").write_text("*.o\n")
    peer, _ = following(server, tree)
    SPARE.hold()
    try:
        with all_descriptors_taken():
            os.mknod(tree / ".git/info/exclude")
            os.replace(tmp_path / "same", tree / ".gitignore")
            os.mkdir(tree / "last")
            until(peer, {"last"})
    finally:
        SPARE.release()


def test_the_files_are_followed_no_longer_than_the_root(
    server: Home, tree: Path
) -> None:
    following(server, tree)
    (root,) = server.watchman.roots.all
    assert len(server.monitor.subscriptions) > 1
    server.watchman.roots.close(root)
    assert not server.monitor.subscriptions
