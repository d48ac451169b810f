"""Directories that .gitignore excludes cost no watches, however many there are."""

import os
from pathlib import Path

import pytest

import gamin
from testkit.server_state import status
from testkit.watches import SOON, created, until

pytestmark = pytest.mark.usefixtures("own_server")

TRACKED = 400
FOLDERS = 21
IGNORED = 2000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """400 files in 20 directories, beside build products and installed packages."""
    project = tmp_path / "project"
    for folder in range(20):
        os.makedirs(project / f"src/{folder}")
    for number in range(TRACKED):
        (project / f"src/{number % 20}/{number}").touch()
    for package in range(50):
        os.makedirs(project / f"node_modules/{package}")
    for number in range(IGNORED):
        os.mkdir(project / f"node_modules/{number % 50}/{number}")
    (project / ".gitignore").write_text("node_modules/\n")
    return project


def test_ignored_directories_are_not_watched(project: Path) -> None:
    with gamin.watch(project, recursive=False):
        # This lists the directory itself, which later clients then know.
        ways = status().watches.kernel
    with gamin.watch(project, vcs_ignore=True):
        held = status().watches
    assert held.kernel - ways == FOLDERS
    assert held.polled == held.no_room == 0


def test_changes_in_ignored_directories_are_neither_watched_nor_reported(
    project: Path,
) -> None:
    with gamin.watch(project, vcs_ignore=True, timeout=SOON) as watch:
        before = status().watches
        (project / "node_modules/new/deep").mkdir(parents=True)
        (project / "src/0/new").touch()
        assert next(watch) == [created(project / "src/0/new")]
        assert status().watches == before


def test_a_client_with_ignore_rules_is_unaffected_by_clients_without_them(
    project: Path,
) -> None:
    ignored, tracked = project / "node_modules/0/new", project / "src/0/new"
    with (
        gamin.watch(project, timeout=SOON) as other,
        gamin.watch(project, vcs_ignore=True, initial=True, timeout=SOON) as watch,
    ):
        there = {event.path for event in next(watch)}
        assert not any("node_modules" in path for path in there)
        ignored.touch()
        tracked.touch()
        assert until(other, created(tracked)) == [created(ignored), created(tracked)]
        assert next(watch) == [created(tracked)]


def test_the_rules_in_a_renamed_directory_hold_where_it_is_now(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "deep").mkdir(parents=True)
    (before / ".gitignore").write_text("*.log\n")
    with gamin.watch(tmp_path, vcs_ignore=True, timeout=SOON) as watch:
        before.rename(after)
        assert next(watch)[0].dest == str(after)
        (after / "deep/new.log").touch()
        (after / "deep/new").touch()
        assert next(watch) == [created(after / "deep/new")]
        (before / "deep").mkdir(parents=True)  # another one, without rules
        (before / "deep/new.log").touch()
        assert until(watch, created(before / "deep/new.log"))
