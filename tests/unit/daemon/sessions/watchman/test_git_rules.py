"""Rules from outside of a tree, with `git check-ignore` as the judge."""

import os
import random
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from gamin.daemon.sessions.watchman.git_repository import repository_at
from gamin.daemon.sessions.watchman.git_rules import (
    Home,
    above,
    no_repository,
    of_repository,
)
from gamin.patterns.ignore_rules import (
    EXCLUDE_FILE,
    RULE_FILES,
    USER_EXCLUDES,
    IgnoreRules,
)

REPOSITORIES = 40
"""Random worlds in a usual run; GAMIN_GIT_WORLDS sets another number."""
WORLDS = int(os.environ.get("GAMIN_GIT_WORLDS", REPOSITORIES))

NAMES = ("a", "b", "c.o", "d", "keep.o")
PATTERNS = (
    *("a", "b", "*.o", "!keep.o", "/a", "a/", "/a/b", "b/*", "!b", "d/**", "**/d"),
    *("!a/", "c.*", "/d/a", "a/b/", "*", "!*/", "!d"),
)


def git(directory: Path, *arguments: str, home: Path, asked: bytes = b"") -> bytes:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a",
    }
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    done = subprocess.run(
        command, cwd=directory, env=environment, input=asked, capture_output=True
    )
    assert done.returncode in (0, 1), (arguments, done.stderr)
    return done.stdout


def furnish(top: Path, *directories: str) -> None:
    """Create directories with files, unless something exists in their place."""
    for directory in directories:
        with suppress(FileExistsError, NotADirectoryError):
            (top / directory).mkdir(parents=True, exist_ok=True)
    for each in filter(Path.is_dir, map(top.joinpath, directories)):
        for name in NAMES:
            if not (each / name).exists():
                (each / name).touch()


class World:
    """A random home with a configuration, and random nested repositories."""

    def __init__(self, place: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self.home = place / "home"
        self.top = place / "repository"
        self.home.mkdir(parents=True)
        self._configure()
        self._make_repository(self.top)
        if self._random.random() < 0.5:
            self._make_repository(self.top / self._random.choice(("a", "b", "a/d")))
        self.root = self.top
        if self._random.random() < 0.3:
            self._link_worktree(place / "linked")

    def _configure(self) -> None:
        chosen = self._random.random()
        config = self.home / ".config/git"
        config.mkdir(parents=True)
        if chosen < 0.4:
            self._write(config / "ignore")
        elif chosen < 0.6:
            self._write(self.home / "excludes")
            (self.home / ".gitconfig").write_text("[core]\nexcludesFile = ~/excludes\n")
        elif chosen < 0.8:
            self._write(self.home / "excludes")
            (self.home / "more").write_text("[core]\n\texcludesfile = excludes\n")
            condition = self._random.choice(
                ("", f'"gitdir:{self.home.parent}/repository/"', '"gitdir:linked/"')
            )
            section = f"[includeIf {condition}]" if condition else "[include]"
            (config / "config").write_text(f"{section}\npath = {self.home}/more\n")

    def _make_repository(self, top: Path) -> None:
        top.mkdir(parents=True, exist_ok=True)
        git(top, "init", "--quiet", home=self.home)
        if self._random.random() < 0.5:
            self._write(top / ".git/info/exclude")
        furnish(top, "", "a", "a/b", "a/d", "b", "d", "d/a")
        for directory in ("", "a", "a/b", "a/d", "b", "d", "d/a"):
            if (top / directory).is_dir() and self._random.random() < 0.35:
                self._write(top / directory / ".gitignore")

    def _link_worktree(self, place: Path) -> None:
        git(self.top, "commit", "-q", "--allow-empty", "-m", "x", home=self.home)
        git(self.top, "worktree", "add", "-q", "--detach", str(place), home=self.home)
        furnish(place, "", "a", "a/b", "b")
        self._write(place / ".gitignore")
        self.root = place

    def _write(self, file: Path) -> None:
        lines = self._random.choices(PATTERNS, k=self._random.randint(1, 4))
        file.write_text("\n".join(lines) + "\n")

    def roots(self) -> list[Path]:
        """Directories that somebody may watch: the top, and one that git looks into."""
        inner = [p for p in (self.root / "a", self.root / "b") if p.is_dir()]
        return [self.root, *(p for p in inner if not (p / ".git").exists())]


def entries(directory: Path) -> list[Path]:
    """All but git's own, which in a linked worktree is a file."""
    return [path for path in sorted(directory.iterdir()) if path.name != ".git"]


def load(rules: IgnoreRules, root: Path, directory: Path, home: Home) -> None:
    """The rules that are loaded when a directory of the tree is listed."""
    inside = b"" if directory == root else os.fsencode(directory.relative_to(root))
    for name in RULE_FILES:
        file = directory / os.fsdecode(name)
        rules.load(inside, name, file.read_bytes() if file.is_file() else None)
    repository = repository_at(os.fsencode(directory)) if inside else None
    if repository is not None:
        for rule in of_repository(repository, inside, home).rules:
            rules.load(*rule)


def shown(root: Path, home: Path) -> set[str]:
    """The paths of a tree that our rules do not ignore."""
    place = Home(os.fsencode(home))
    rules = IgnoreRules(vcs=True, base=os.fsencode(root).lstrip(b"/"))
    for rule in above(os.fsencode(root), place).rules:
        rules.load(*rule)
    found: set[str] = set()
    waiting = [root]
    while waiting:
        directory = waiting.pop()
        load(rules, root, directory, place)
        for path in entries(directory):
            inside = os.fsencode(path.relative_to(root))
            if not rules.ignored(inside, path.is_dir()):
                found.add(os.fsdecode(inside))
                if path.is_dir():
                    waiting.append(path)
    return found


def shown_by_git(root: Path, home: Path) -> set[str]:
    """The same, each directory being asked about by the repository that holds it."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        directory = waiting.pop()
        paths = entries(directory)
        asked = b"\0".join(os.fsencode(p) for p in paths)
        options = ("check-ignore", "--no-index", "--stdin", "-z")
        ignored = git(directory, *options, home=home, asked=asked) if paths else b""
        for path in paths:
            if os.fsencode(path) not in ignored.split(b"\0"):
                found.add(str(path.relative_to(root)))
                if path.is_dir():
                    waiting.append(path)
    return found


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_random_world_is_shown_as_git_shows_it(seed: int, tmp_path: Path) -> None:
    world = World(tmp_path, seed)
    for root in world.roots():
        inside = root.relative_to(world.root)
        asked = (
            git(world.root, "check-ignore", "--no-index", str(inside), home=world.home)
            if str(inside) != "."
            else b""
        )
        if (
            not asked
        ):  # else git looks into nothing of it, and we show what was asked for
            assert shown(root, world.home) == shown_by_git(root, world.home), root


def test_rules_from_above_name_the_files_to_follow(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "top", home=tmp_path)
    root = tmp_path / "top/a/b"
    root.mkdir(parents=True)
    files = above(bytes(root), Home(bytes(tmp_path))).files
    for expected in ("top/a/.gitignore", "top/.ignore", "top/.git/info/exclude"):
        assert bytes(tmp_path / expected) in files
    for expected in (".config/git/ignore", ".gitconfig", "top/.git/config"):
        assert bytes(tmp_path / expected) in files
    assert bytes(root / ".gitignore") not in files


def test_outside_of_a_repository_nothing_comes_from_above(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("a\n")
    (tmp_path / "in").mkdir()
    root = bytes(tmp_path / "in")
    outside = above(root, Home(bytes(tmp_path)))
    assert {text for _, _, text in outside.rules} == {None}
    assert bytes(tmp_path / ".git/HEAD") in outside.files  # there may be one later


def test_a_repository_that_is_one_no_more_has_the_rules_around_it() -> None:
    rules = IgnoreRules(vcs=True)
    rules.load(b"", b".gitignore", b"x")
    rules.load(b"in", EXCLUDE_FILE, b"")
    rules.load(b"in", USER_EXCLUDES, b"y")
    assert rules.is_top(b"in")
    assert not rules.ignored(b"in/x", is_dir=False)
    assert rules.ignored(b"in/y", is_dir=False)
    for rule in no_repository(b"in"):
        rules.load(*rule)
    assert rules.ignored(b"in/x", is_dir=False)
    assert not rules.ignored(b"in/y", is_dir=False)
