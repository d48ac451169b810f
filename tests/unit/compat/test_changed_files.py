"""Files that changed while watching was set up are found by their times."""

import os
import time
from pathlib import Path

import pytest

from gamin.compat import changed_files, settings
from gamin.compat.changed_files import Beginning, changed_after
from testkit.watches import aged


def found(root: Path, since_ns: int, *, recursive: bool = True) -> set[str]:
    skip = frozenset({"node_modules"})
    roots = [str(root)]
    return {
        os.path.relpath(path, root)
        for _, path in changed_after(roots, since_ns, recursive=recursive, skip=skip)
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("old", "deep/old", "node_modules/old"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    aged(tmp_path / "node_modules" / "old")
    return tmp_path


def test_only_what_is_younger_is_found_and_skipped_names_are_not(tree: Path) -> None:
    since_ns = time.time_ns() - 5_000_000
    assert found(tree, since_ns) == set()
    (tree / "new").touch()
    while (tree / "new").stat().st_ctime_ns < since_ns:  # the kernel's clock is coarse
        (tree / "new").touch()
    (tree / "deep" / "old").write_text("written")
    (tree / "node_modules" / "new").touch()
    aged(tree / "new")
    assert found(tree, since_ns) == {"new", "deep/old"}
    assert found(tree, since_ns, recursive=False) == {"new"}


def test_a_file_in_a_directory_that_did_not_change_is_not_new(tree: Path) -> None:
    since_ns = time.time_ns() - 5_000_000
    (tree / "old").write_text("written")
    (tree / "deep" / "new").touch()
    aged(tree / "deep" / "new")
    assert set(
        changed_after([str(tree)], since_ns, recursive=True, skip=frozenset())
    ) == {(False, str(tree / "old")), (True, str(tree / "deep" / "new"))}


def test_a_file_may_be_a_root_and_a_missing_root_is_nothing(tree: Path) -> None:
    roots = [str(tree / "old"), str(tree / "missing")]
    assert list(changed_after(roots, 0, recursive=True, skip=frozenset())) == [
        (False, str(tree / "old"))
    ]


@pytest.mark.parametrize(
    ("slow_start", "vcs_ignore", "is_found"),
    [(-1.0, "", True), (3600.0, "", False), (-1.0, "1", False)],
)
def test_changes_are_looked_for_after_a_slow_start_unless_git_may_ignore_them(
    slow_start: float,
    vcs_ignore: str,
    is_found: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changed_files, "SLOW_START", slow_start)
    monkeypatch.setenv(settings.VCS_IGNORE, vcs_ignore)
    (tmp_path / "old").touch()
    beginning = Beginning()
    later_ns = time.time_ns()

    def paths() -> list[str]:
        found = beginning.changes([str(tmp_path)], recursive=True)
        return [path for _, path in found]

    assert paths() == []
    new = tmp_path / "new"
    new.touch()
    while new.stat().st_ctime_ns < later_ns:  # the kernel's clock is coarse
        new.touch()
    assert paths() == ([str(new)] if is_found else [])
