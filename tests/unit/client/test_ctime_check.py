"""Which files and directories count as changed, by their ctimes on a real disk."""

import os
from pathlib import Path

import pytest

from gamin.client import ctime_check
from gamin.client.ctime_check import (
    changed_since,
    may_be_replaced,
    newer,
    resolve_stats,
)
from gamin.protocol.gam.client import Event, NeedsStat
from testkit.watches import aged


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.touch()
    return made


def ctime(path: Path) -> int:
    return path.lstat().st_ctime_ns


def test_only_newer_files_have_changed(file: Path) -> None:
    assert changed_since(os.fsencode(file), ctime(file) - 1)
    assert not changed_since(os.fsencode(file), ctime(file))


def test_setting_the_times_back_hides_nothing(file: Path) -> None:
    os.utime(file, (0, 0))
    assert changed_since(os.fsencode(file), ctime(file) - 1)


def test_a_link_changes_with_its_target(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    before = ctime(link)
    while ctime(file) <= before:  # the clock of ctimes advances every few ms
        file.touch()
    assert changed_since(os.fsencode(link), before)


def test_a_dangling_link_changes_with_itself(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    assert changed_since(os.fsencode(link), ctime(link) - 1)
    assert not changed_since(os.fsencode(link), ctime(link))


def test_an_inaccessible_file_counts_as_changed(tmp_path: Path) -> None:
    late = 1 << 62  # later than any ctime
    gone = tmp_path / "gone"
    assert changed_since(os.fsencode(gone), late)
    assert may_be_replaced(os.fsencode(gone / "deep"), late)
    assert newer([f"{gone}/file"], [str(tmp_path), str(gone)], late) == [f"{gone}/file"]


def test_pending_stats_become_events_or_nothing_in_their_order(file: Path) -> None:
    first, second, third, last = (
        Event(1, 1, name) for name in (b"1", b"2", b"3", b"4")
    )
    path = os.fsencode(file)
    reported: list[Event | NeedsStat] = [
        first,
        NeedsStat(path, ctime(file) - 1, second),
        NeedsStat(path, ctime(file), third),
        last,
    ]
    assert list(resolve_stats(reported)) == [first, second, last]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directories with the same names in them, and one more outside.

    Other programs make directories above, which would count as a replacement.
    """
    real, place = ctime_check._ctime, os.fsencode(tmp_path)
    monkeypatch.setattr(
        ctime_check, "_ctime", lambda path: real(path) if place in path else 0
    )
    for folder in ("outside/other", "watched/a", "watched/b"):
        (tmp_path / folder / "deep").mkdir(parents=True)
        for file in ("f", "deep/f"):
            (tmp_path / folder / file).touch()
    return tmp_path / "watched"


@pytest.fixture
def since_ns(tree: Path) -> int:
    """A time after everything so far, and before anything later."""
    last = tree / "b/deep/f"
    aged(last)
    return ctime(last)


def found(tree: Path, since_ns: int) -> set[str]:
    """The files that are newer than the last file of the set-up."""
    folders = [tree, *(tree / n for n in ("a", "b", "a/deep", "b/deep"))]
    files = [tree / n for n in ("a/f", "a/deep/f", "b/f", "b/deep/f")]
    reported = newer(map(str, files), map(str, folders), since_ns)
    return {str(Path(file).relative_to(tree)) for file in reported}


def test_everything_counts_as_changed_in_a_directory_that_replaced_another(
    tree: Path, since_ns: int
) -> None:
    assert found(tree, since_ns) == set()
    (tree / "a").rename(tree.parent / "outside/away")
    (tree.parent / "outside/other").rename(tree / "a")
    assert found(tree, since_ns) == {"a/f", "a/deep/f"}


@pytest.mark.parametrize("kind", ["directory", "link"])
def test_a_path_may_lead_elsewhere_if_something_came_to_it_or_above(
    tree: Path, since_ns: int, kind: str
) -> None:
    deep, other = os.fsencode(tree / "a/deep"), tree.parent / "outside/other"
    assert not may_be_replaced(deep, since_ns)
    (tree / "a").rename(tree.parent / "outside/away")
    if kind == "directory":
        other.rename(tree / "a")
    else:
        (tree / "a").symlink_to(other)
    assert may_be_replaced(deep, since_ns)
    assert not may_be_replaced(os.fsencode(tree / "b"), since_ns)


def test_every_file_of_a_replaced_directory_counts_as_changed(
    tree: Path, since_ns: int
) -> None:
    reported = Event(1, 1, b"f")
    question = NeedsStat(os.fsencode(tree / "a/f"), since_ns, reported)
    assert list(resolve_stats([question])) == []
    (tree / "a").rename(tree.parent / "outside/away")
    (tree.parent / "outside/other").rename(tree / "a")
    assert list(resolve_stats([question, question])) == [reported, reported]


def test_a_new_entry_does_not_make_its_neighbours_other(
    tree: Path, since_ns: int
) -> None:
    (tree / "new").touch()
    assert found(tree, since_ns) == set()


def test_an_entry_new_in_a_subdirectory_leaves_its_neighbours_unchanged(
    tree: Path, since_ns: int
) -> None:
    (tree / "a/deep/new").touch()
    assert found(tree, since_ns) == set()


def test_a_written_file_is_found_among_unchanged_ones(
    tree: Path, since_ns: int
) -> None:
    (tree / "b/deep/f").write_text("text")
    assert found(tree, since_ns) == {"b/deep/f"}
