"""`gamin git`: with our hook git sees what it sees without."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.programs import COMMAND
from testkit.required import needs
from testkit.watchman_command import Installed, installed

pytestmark = needs("git")


class Repository:
    def __init__(self, home: Installed, top: Path) -> None:
        self.home = home
        self.top = top

    def git(self, *words: str) -> str:
        done = self.home.run(["git", *words], cwd=self.top)
        assert done.returncode == 0, done
        return done.stdout.decode()

    def gamin(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return self.home.run([*COMMAND, "git", *words], cwd=self.top)

    def check(self) -> str:
        """What changed; the same with the hook and without it."""
        found = self.git("status", "--porcelain", "-uall")
        assert found == self.git(
            *("-c", "core.fsmonitor=", "-c", "core.untrackedCache=false"),
            *("status", "--porcelain", "-uall"),
        )
        return found


@pytest.fixture
def repository(session: str, tmp_path: Path) -> Iterator[Repository]:
    top = tmp_path.resolve() / "top"
    top.mkdir()
    with installed(session) as home:
        (home.folder / ".gitconfig").write_text("[user]\nname=me\nemail=me@x\n")
        repository = Repository(home, top)
        repository.git("init", "-q")
        for name in ("a", "b", "sub/c", "sub/deep/d"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(name)
        repository.git("add", ".")
        repository.git("commit", "-q", "-m", "first")
        yield repository


def test_install_status_and_uninstall(repository: Repository) -> None:
    assert repository.gamin("status").returncode == 1
    for _ in range(2):
        assert repository.gamin("install").returncode == 0
    assert repository.gamin("status", "sub").returncode == 0
    repository.check()
    assert str(repository.top) in repository.home.reply("watch-list")["roots"]
    assert repository.gamin("uninstall").returncode == 0
    assert repository.gamin("status").returncode == 1
    done = repository.home.run(
        ["git", "config", "--get", "core.fsmonitor"], cwd=repository.top
    )
    assert done.stdout == b""


def test_somebodys_own_monitor_is_left_alone(repository: Repository) -> None:
    repository.git("config", "core.fsmonitor", "theirs")
    done = repository.gamin("install")
    assert done.returncode == 1
    assert b"is 'theirs' already" in done.stderr
    assert repository.gamin("uninstall").returncode == 1
    assert repository.git("config", "core.fsmonitor") == "theirs\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_is_not_trusted(repository: Repository) -> None:
    repository.git("config", "--global", "safe.directory", "*")
    os.chown(repository.top, 65534, 65534)
    done = repository.gamin("install")
    assert done.returncode == 1
    assert b"belongs to another user" in done.stderr
    hook = repository.gamin("hook", "2", "")
    assert (hook.returncode, hook.stdout) == (1, b"")


def test_the_hook_names_what_changed_since_its_token(repository: Repository) -> None:
    token, *names = repository.gamin("hook", "2", "").stdout.split(b"\0")
    assert names == [b"/", b""]
    (repository.top / "a").write_text("other")
    done = repository.gamin("hook", "2", token.decode())
    assert done.stdout.split(b"\0")[1:] == [b"a", b""]
    assert repository.gamin("hook", "1", "0").returncode == 1


def test_status_is_the_same_with_and_without_after_random_acts(
    repository: Repository,
) -> None:
    assert repository.gamin("install").returncode == 0
    chance = random.Random(7)
    top = repository.top
    names = ["a", "b", "sub/c", "sub/deep/d", "new", "sub/new", "other/e"]

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(chance.random()))

    def remove(path: Path) -> None:
        path.unlink(missing_ok=True)

    def rename(path: Path) -> None:
        if path.exists():
            path.rename(top / f"moved-{chance.randrange(3)}")

    def move_directory(path: Path) -> None:
        if path.parent != top and path.parent.exists():
            target = top / f"directory-{chance.randrange(1 << 30)}"
            path.parent.rename(target)

    def commit(path: Path) -> None:
        repository.git("add", "-A")
        repository.git("commit", "-q", "--allow-empty", "-m", "more")

    def reset(path: Path) -> None:
        repository.git("reset", "-q", "--hard", "HEAD")

    acts: list[Callable[[Path], None]] = [write, write, remove, rename]
    acts += [move_directory, commit, reset]
    changed = 0
    for _ in range(25):
        for _ in range(chance.randrange(1, 4)):
            chance.choice(acts)(top / chance.choice(names))
        changed += bool(repository.check())
    assert changed
