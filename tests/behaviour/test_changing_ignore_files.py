"""Ignore files that are created, changed, deleted, and moved with their directories.

However changes coincide, a client finally knows what exists and is not ignored.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gamin
from gamin.client.connect import connect_watchman
from testkit.beliefs.watch import Belief
from testkit.server_state import losing, stopped_server
from testkit.watches import SOON, created, deleted, moved, until

pytestmark = pytest.mark.usefixtures("own_server")


class Client:
    """A client that follows what is not ignored in a tree."""

    def __init__(self, root: Path, watch: gamin.Watch) -> None:
        self._belief = Belief(root)
        self._watch = watch

    def knows(self, *files: str) -> bool:
        """Wait until exactly these paths are known; return whether they are."""
        while self._files() != set(files):
            self._belief.take(next(self._watch))
        return not self._belief.contradictions

    def _files(self) -> set[str]:
        known = self._belief.paths().items()
        return {
            name for name, is_dir in known if not is_dir and ".gitignore" not in name
        }


@contextmanager
def client(root: Path) -> Iterator[Client]:
    with gamin.watch(root, vcs_ignore=True, initial=True, timeout=SOON) as watch:
        yield Client(root, watch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


def git(*arguments: str, place: Path) -> None:
    subprocess.run(["git", *arguments], cwd=place, check=True)


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def ignore(folder: Path, line: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text(line + "\n")


def test_an_ignore_file_that_was_written_just_before_a_rename_holds(root: Path) -> None:
    make(root, "old/a", "old/deep/a.log")
    with client(root) as us:
        assert us.knows("old/a", "old/deep/a.log")
        with stopped_server():
            ignore(root / "old", "*.log")
            (root / "old").rename(root / "new")
        assert us.knows("new/a")


def test_an_ignore_file_that_was_deleted_just_before_a_rename_does_not(
    root: Path,
) -> None:
    make(root, "old/a", "old/deep/a.log")
    ignore(root / "old", "*.log")
    with client(root) as us:
        assert us.knows("old/a")
        with stopped_server():
            (root / "old/.gitignore").unlink()
            (root / "old").rename(root / "new")
        assert us.knows("new/a", "new/deep/a.log")


def test_directories_that_change_places_take_their_ignore_files_along(
    root: Path,
) -> None:
    make(root, "one/a", "one/a.log", "two/b", "two/b.log")
    ignore(root / "one", "*.log")
    with client(root) as us:
        assert us.knows("one/a", "two/b", "two/b.log")
        with stopped_server():
            make(root, "one/c.log", "two/d.log")
            (root / "one").rename(root / "third")
            (root / "two").rename(root / "one")
            (root / "third").rename(root / "two")
        assert us.knows("two/a", "one/b", "one/b.log", "one/d.log")
        make(root, "one/e.log", "two/f.log")
        assert us.knows("two/a", "one/b", "one/b.log", "one/d.log", "one/e.log")


def test_changes_after_a_rename_are_reported_by_the_rules_in_force_then(
    root: Path,
) -> None:
    make(root, "from/first/a", "from/second/b")
    ignore(root / "from", "*.log")
    with client(root) as us:
        assert us.knows("from/first/a", "from/second/b")
        with stopped_server():
            ignore(root, "second/")
            (root / "from/first").rename(root / "first")
            (root / "from/second").rename(root / "other")
        assert us.knows("first/a", "other/b")


def test_a_former_place_of_ignore_files_has_no_rules_left(root: Path) -> None:
    for name in ("moved", "deleted", "other", "another"):
        make(root, f"{name}/a")
    for name in ("moved", "moved/deep", "deleted"):
        ignore(root / name, "*.log")
    with gamin.watch(root, vcs_ignore=True, timeout=SOON) as watch:
        for source, name in (("moved", "new"), ("other", "moved")):
            (root / source).rename(root / name)
            assert next(watch) == [moved(root / source, root / name, is_dir=True)]
        shutil.rmtree(root / "deleted")
        until(watch, deleted(root / "deleted", is_dir=True))
        (root / "another").rename(root / "deleted")
        assert next(watch) == [moved(root / "another", root / "deleted", is_dir=True)]


def test_a_known_directory_in_place_of_a_deleted_one_has_its_own_rules(
    root: Path,
) -> None:
    make(root, "place/a", "place/a.log")
    ignore(root / "place", "*.log")
    make(root.parent, "outside/b", "outside/b.log")
    with gamin.watch(root.parent), client(root) as us:  # so the other one is known
        assert us.knows("place/a")
        shutil.rmtree(root / "place")
        assert us.knows()
        (root.parent / "outside").rename(root / "place")
        assert us.knows("place/b", "place/b.log")


def test_a_known_directory_in_place_of_the_root_has_its_own_rules(root: Path) -> None:
    make(root, "a", "a.log", "b", "deep/a.txt")
    git("init", "--quiet", place=root)
    ignore(root, "*.log")
    (root / ".git/info/exclude").write_text("b\n")
    make(root.parent, "other/b", "other/b.log", "other/deep/b.txt")
    ignore(root.parent / "other/deep", "*.txt")
    with gamin.watch(root.parent), client(root) as us:
        assert us.knows("a", "deep/a.txt")
        with stopped_server():
            root.rename(root.with_name("away"))
            (root.parent / "other").rename(root)
        assert us.knows("b", "b.log")


def test_an_ignore_file_changed_in_an_ignored_directory_counts_later(
    root: Path,
) -> None:
    make(root, "a", "one/b", "one/b.log", "two/c", "two/c.log")
    ignore(root / "one", "*.log")
    ignore(root / "two", "*.log")
    with gamin.watch(root, timeout=SOON) as other, client(root) as us:
        assert us.knows("a", "one/b", "two/c")
        ignore(root, "one/\ntwo/")
        assert us.knows("a")
        (root / "one/.gitignore").unlink()
        ignore(root / "two", "c")
        make(root, "end")
        until(other, created(root / "end"))
        (root / ".gitignore").unlink()
        assert us.knows("a", "end", "one/b", "one/b.log", "two/c.log")


def test_a_query_returns_what_is_not_ignored_at_that_moment(root: Path) -> None:
    make(root, "a", "a.log")
    with client(root) as us, connect_watchman(start=False) as line:
        assert us.knows("a", "a.log")
        replies = line.makefile("rb")
        line.sendall(b'["get-pid"]\n')
        assert b"pid" in replies.readline()
        with stopped_server():
            query = {"watch": True, "vcs_ignore": True, "fields": ["name"]}
            asked = json.dumps(["subscribe", str(root), "it", query]) + "\n"
            line.sendall(asked.encode())
            ignore(root, "*.log")  # the request comes before the event
        assert b"subscribe" in replies.readline()
        assert sorted(json.loads(replies.readline())["files"]) == [".gitignore", "a"]


def test_an_ignore_file_that_changed_while_events_were_lost_holds(root: Path) -> None:
    make(root, "a.log", "a.txt", "a")
    ignore(root, "*.log")
    noise = root.with_name("noise")
    noise.mkdir()
    with gamin.watch(noise), client(root) as us:
        assert us.knows("a", "a.txt")
        with losing(noise):
            ignore(root, "*.txt")
        assert us.knows("a", "a.log")
