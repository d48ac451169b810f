"""Rules that git takes from outside of a watched tree, while they change."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gamin
from testkit.beliefs.watch import Belief
from testkit.watches import SOON

pytestmark = pytest.mark.usefixtures("own_server")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home directory of git and of the server that the test starts."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


@pytest.fixture
def top(tmp_path: Path, home: Path) -> Path:
    """A repository with a directory that clients watch, and files in it."""
    top = tmp_path / "top"
    git("init", "--quiet", str(top), place=tmp_path)
    write(top / "src/a.py")
    write(top / "src/a.log")
    write(top / "src/deep/b.log")
    return top


def git(*arguments: str, place: Path) -> None:
    identity = {
        f"GIT_{who}_{what}": "x"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(
        ["git", *arguments],
        cwd=place,
        check=True,
        env=os.environ | identity | {"GIT_CONFIG_NOSYSTEM": "1"},
    )


def write(file: Path, text: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


class Client:
    def __init__(self, root: Path, watch: gamin.Watch) -> None:
        self._belief = Belief(root)
        self._watch = watch

    def knows(self, *files: str) -> bool:
        """Wait until these files are known, and no others."""
        while {n for n, is_dir in self._belief.paths().items() if not is_dir} != set(
            files
        ):
            self._belief.take(next(self._watch))
        return not self._belief.contradictions


@contextmanager
def client(root: Path) -> Iterator[Client]:
    with gamin.watch(root, vcs_ignore=True, initial=True, timeout=SOON) as watch:
        yield Client(root, watch)


ALL = ("a.py", "a.log", "deep/b.log")


def test_a_rule_file_above_the_root_counts(top: Path) -> None:
    write(top / ".gitignore", "*.log\n/src/deep\n")
    with client(top / "src") as us:
        assert us.knows("a.py")
        write(top / ".gitignore", "/src/a.log\n")
        assert us.knows("a.py", "deep/b.log")
        (top / ".gitignore").unlink()
        assert us.knows(*ALL)


def test_the_exclude_file_of_the_repository_counts(top: Path) -> None:
    with client(top / "src") as us:
        assert us.knows(*ALL)
        write(top / ".git/info/exclude", "*.log\n")
        assert us.knows("a.py")
        write(top / ".git/info/exclude", "deep/\n")
        assert us.knows("a.py", "a.log")


def test_the_users_exclude_file_counts(top: Path, home: Path) -> None:
    with client(top / "src") as us:
        assert us.knows(*ALL)
        write(home / ".config/git/ignore", "*.log\n")
        assert us.knows("a.py")
        write(home / "mine", "*.py\n")
        git("config", "--global", "core.excludesFile", "~/mine", place=top)
        assert us.knows("a.log", "deep/b.log")
        git("config", "core.excludesFile", str(home / "nothing"), place=top)
        assert us.knows(*ALL)


def test_a_configuration_that_others_may_write_is_not_believed(
    top: Path, home: Path
) -> None:
    write(home / "mine", "*.log\n")
    config = json.dumps(str(home / "mine"))
    write(home / ".gitconfig", f"[core]\nexcludesFile = {config}\n")
    (home / ".gitconfig").chmod(0o666)
    with client(top / "src") as us:
        assert us.knows(*ALL)


def test_a_linked_worktree_follows_the_exclude_file_that_it_shares(
    top: Path, tmp_path: Path
) -> None:
    git("commit", "--quiet", "--allow-empty", "--message", "x", place=top)
    git("worktree", "add", "--quiet", str(tmp_path / "linked"), place=top)
    write(tmp_path / "linked/a.py")
    write(tmp_path / "linked/a.log")
    with client(tmp_path / "linked") as us:
        assert us.knows(".git", "a.py", "a.log")
        write(top / ".git/info/exclude", "*.log\n")
        assert us.knows(".git", "a.py")


def test_a_repository_inside_another_one_follows_its_own_rules(top: Path) -> None:
    write(top / ".gitignore", "*.log\n")
    with client(top / "src") as us:
        assert us.knows("a.py")
        git("init", "--quiet", "deep", place=top / "src")
        assert us.knows("a.py", "deep/b.log")
        write(top / "src/deep/.git/info/exclude", "b.*\n")
        write(top / "src/deep/c.log")
        assert us.knows("a.py", "deep/c.log")


def test_a_directory_that_becomes_a_repository_follows_its_rules(
    tmp_path: Path, home: Path
) -> None:
    write(tmp_path / "plain/src/a.log")
    write(tmp_path / "plain/src/a.py")
    write(tmp_path / "plain/.gitignore", "*.log\n")
    with client(tmp_path / "plain/src") as us:
        assert us.knows("a.log", "a.py")
        git("init", "--quiet", place=tmp_path / "plain")
        assert us.knows("a.py")


def test_a_repository_may_be_made_piece_by_piece(top: Path) -> None:
    write(top / ".gitignore", "*.log\n")
    with client(top / "src") as us:
        assert us.knows("a.py")
        write(top / "src/deep/.git/config")
        write(top / "src/deep/first.py")
        assert us.knows("a.py", "deep/first.py")
        write(top / "src/deep/.git/HEAD", "ref: refs/heads/main\n")
        assert us.knows("a.py", "deep/first.py", "deep/b.log")
