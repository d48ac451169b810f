"""The service's events as those of watchdog."""

from pathlib import Path

import pytest

pytest.importorskip("watchdog")

from watchdog.events import FileSystemEvent
from watchdog.observers.api import ObservedWatch

from gamin.compat.translation import Translation
from gamin.events import Detail, Event, Kind, detailed

WRITTEN = Detail.CONTENT | Detail.CLOSED


def words(events: list[FileSystemEvent]) -> list[str]:
    return [
        f"{type(event).__name__.removesuffix('Event')} {event.src_path!s}"
        + (f" {event.dest_path!s}" if event.dest_path else "")
        + (" again" if event.is_synthetic else "")
        for event in events
    ]


def translated(*events: Event, path: str = "/w") -> list[str]:
    return words([*Translation(ObservedWatch(path, recursive=True)).events(events)])


def event(kind: Kind, path: str, bits: int, **more: bool) -> Event:
    return detailed(Event(kind, path, None, **more), bits)


def test_a_new_file_is_written_and_closed_if_it_was() -> None:
    assert translated(event(Kind.CREATED, "/w/f", 0)) == [
        "FileCreated /w/f",
        "DirModified /w",
    ]
    assert translated(event(Kind.CREATED, "/w/f", WRITTEN)) == [
        "FileCreated /w/f",
        "DirModified /w",
        "FileModified /w/f",
        "FileClosed /w/f",
        "DirModified /w",
    ]


def test_a_new_file_of_which_nobody_knows_counts_as_closed_if_it_has_content(
    tmp_path: Path,
) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.touch()
    full.write_text("text")
    root = str(tmp_path)
    found = translated(event(Kind.CREATED, str(empty), -1), path=root)
    assert found == [f"FileCreated {empty}", f"DirModified {root}"]
    found = translated(event(Kind.CREATED, str(full), -1), path=root)
    assert f"FileClosed {full}" in found


def test_changes_are_distinguished() -> None:
    attributes = translated(event(Kind.CHANGED, "/w/f", Detail.ATTRIBUTES))
    assert attributes in (["FileAttrib /w/f"], ["FileModified /w/f"])  # 7.x, 6.0
    assert translated(event(Kind.CHANGED, "/w/f", Detail.CONTENT)) == [
        "FileModified /w/f"
    ]
    assert translated(event(Kind.CHANGED, "/w/f", Detail.CLOSED)) == [
        "FileClosed /w/f",
        "DirModified /w",
    ]
    unknown = translated(event(Kind.CHANGED, "/w/f", -1, recovered=True))
    assert unknown[:2] == ["FileModified /w/f again", "FileClosed /w/f again"]


def test_what_is_in_a_directory_that_came_by_a_rename_is_synthetic() -> None:
    assert translated(
        event(Kind.CREATED, "/w/d", Detail.RENAMED, is_dir=True),
        event(Kind.CREATED, "/w/d/f", -1),
        event(Kind.CREATED, "/w/e", 0, is_dir=True),
    ) == [
        "DirCreated /w/d",
        "DirModified /w",
        "FileCreated /w/d/f again",
        "DirCreated /w/e",
        "DirModified /w",
    ]


def test_the_watched_directory_has_no_parent_that_changed() -> None:
    assert translated(event(Kind.DELETED, "/w", 0, is_dir=True)) == ["DirDeleted /w"]
    changed = translated(event(Kind.CHANGED, "/w", Detail.ATTRIBUTES, is_dir=True))
    assert changed in (["DirAttrib /w"], ["DirModified /w"])


def test_attributes_of_a_directory_in_a_watched_tree_are_reported_twice() -> None:
    found = translated(event(Kind.CHANGED, "/w/d", Detail.ATTRIBUTES, is_dir=True))
    assert found in (["DirAttrib /w/d"] * 2, ["DirModified /w/d"] * 2)


def test_a_rename_reports_both_parents() -> None:
    assert translated(Event(Kind.MOVED, "/w/a", "/w/d/a")) == [
        "FileMoved /w/a /w/d/a",
        "DirModified /w",
        "DirModified /w/d",
    ]


def test_paths_of_a_watch_of_bytes_are_bytes() -> None:
    translation = Translation(ObservedWatch(b"/w", recursive=True))  # type: ignore[arg-type]  # bytes
    (first, _) = translation.events([Event(Kind.DELETED, "/w/\udcff")])
    assert first.src_path == b"/w/\xff"


def test_the_end_is_the_deletion_of_the_watched_directory() -> None:
    translation = Translation(ObservedWatch("/w", recursive=True))
    (own,) = translation.events([event(Kind.DELETED, "/w", 0, is_dir=True)])
    other, _ = translation.events([event(Kind.DELETED, "/w/d", 0, is_dir=True)])
    assert translation.is_end(own)
    assert not translation.is_end(other)
