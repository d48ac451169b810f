"""Watches in directories that git ignores: found whoever holds them."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.cli import check_ignored as module
from gamin.cli.check_ignored import FEW, check_ignored, ignored_directories
from gamin.cli.finding import Level
from gamin.events import CREATE
from gamin.system import libc
from gamin.system.inotify import open_instance
from gamin.system.inotify_usage import Holder, inode_of, watched_by

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")

ME = Holder(os.getpid(), "pytest", 1, 100)
MODULES = 2 * FEW

PATIENCE = 60.0
"""Seconds, on a machine that does other things."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With two ignored directories, one of them large."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_bytes(
        b"node_modules/\n/build\xff\n/some/\n!/kept/\n"
    )
    for number in range(MODULES):
        (tmp_path / f"web/node_modules/m{number}/lib").mkdir(parents=True)
    os.makedirs(os.fsencode(tmp_path) + b"/build\xff/below")
    (tmp_path / "kept").mkdir()
    return tmp_path


@pytest.fixture
def instance() -> Iterator[int]:
    opened = open_instance()
    yield opened
    os.close(opened)


def watch(instance: int, top: Path) -> None:
    for directory, _, _ in os.walk(os.fsencode(top)):
        libc.inotify_add_watch(instance, directory, CREATE)


def test_the_outermost_ignored_directories_are_found(repository: Path) -> None:
    found = sorted(map(os.fsencode, ignored_directories(str(repository), PATIENCE)))
    top = os.fsencode(repository)
    assert found == [top + b"/build\xff", top + b"/web/node_modules"]


def test_a_directory_without_a_repository_ignores_nothing(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    assert ignored_directories(str(tmp_path)) == []
    assert ignored_directories(str(tmp_path / "missing")) == []


def test_what_a_process_watches_is_known_by_its_inode(
    instance: int, tmp_path: Path
) -> None:
    libc.inotify_add_watch(instance, os.fsencode(tmp_path), CREATE)
    if inode_of(tmp_path.stat()) not in watched_by(os.getpid()):
        pytest.skip("the file system of the tests gives watches another device")
    assert inode_of(os.stat("/proc")) not in watched_by(os.getpid())


def test_watches_in_an_ignored_directory_are_noted_with_their_holder(
    repository: Path, instance: int
) -> None:
    watch(instance, repository / "web")
    if inode_of(repository.joinpath("web").stat()) not in watched_by(os.getpid()):
        pytest.skip("the file system of the tests gives watches another device")
    [found] = check_ignored([ME], [str(repository / "web")], None, PATIENCE)
    assert found.level is Level.NOTE
    assert f"{1 + 2 * MODULES} watches of process {os.getpid()} (pytest)" in found.what
    assert f"{repository}/web/node_modules, which git ignores" in found.what
    assert "exclude it" in found.remedy
    [found] = check_ignored([ME], [str(repository)], os.getpid(), PATIENCE)
    assert "unless a client asks" in found.remedy, "those of our server"


def test_few_watches_there_are_not_worth_a_word(
    repository: Path, instance: int
) -> None:
    watch(instance, repository / "web/node_modules/m1")
    watch(instance, repository / "kept")
    assert list(check_ignored([ME], [str(repository)], None, PATIENCE)) == []


def test_trees_that_are_gone_are_left_out(tmp_path: Path) -> None:
    gone = Holder(2**22 + 1, "gone", 1, 1)
    assert (
        list(check_ignored([gone], [str(tmp_path / "gone"), ""], None, PATIENCE)) == []
    )


def test_a_current_directory_that_is_gone_ends_no_check(
    repository: Path, instance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(instance, repository / "web")
    if inode_of(repository.joinpath("web").stat()) not in watched_by(os.getpid()):
        pytest.skip("the file system of the tests gives watches another device")
    gone = repository / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    [found] = check_ignored([ME], [str(repository)], None, PATIENCE)
    assert "node_modules" in found.what


def test_the_directories_nearest_to_an_ignored_one_are_compared_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (tmp_path / name / "below").mkdir(parents=True)
    monkeypatch.setattr(module, "MAX_VISITED", 4)
    nearest = {inode_of(path.stat()) for path in (tmp_path, *tmp_path.iterdir())}
    assert set(module._inside(str(tmp_path))) == nearest


def test_a_check_that_is_not_finished_in_time_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def answer_late(*_: object) -> list[str]:
        over.wait(PATIENCE)
        return []

    monkeypatch.setattr(module, "ignored_directories", answer_late)
    [found] = check_ignored([ME], [str(repository)], None, 0.01)
    over.set()
    assert found.level is Level.NOTE
    assert found.what == "not all were checked within 0.01 s"
