"""What is sent of a batch: changes, pieces of a listing, and what is seen of files."""

import os
from pathlib import Path

import pytest

from gamin.events import Event, Kind
from gamin.fleet.contents import (
    ENTRIES_PER_PIECE,
    contents_of,
    listing,
    with_status,
)
from gamin.fleet.message import LISTING, RESYNC, RESYNCED, Content
from gamin.system.generation import Generations


def test_paths_are_relative_to_the_tree() -> None:
    events = [
        Event(Kind.CREATED, "/srv/data/a", is_dir=True),
        Event(Kind.MOVED, "/srv/data/a", "/srv/data/b"),
        Event(Kind.MOVED, "/srv/other/x", "/srv/data/x"),
        Event(Kind.MOVED, "/srv/data/x", "/srv/other/x"),
        Event(Kind.CHANGED, "/srv/data", is_dir=True, recovered=True),
        Event(Kind.CREATED, "/srv/database"),
    ]
    assert contents_of(events, "/srv/data/") == [
        Content("created", "a", is_dir=True),
        Content("moved", "a", "b"),
        Content("created", "x"),
        Content("deleted", "x"),
        Content("changed", "", is_dir=True, recovered=True),
    ]


def exists(path: str, *, is_dir: bool = False) -> Event:
    return Event(Kind.EXISTS, path, is_dir=is_dir)


def test_a_listing_is_between_two_marks_and_leaves_the_tree_itself_out() -> None:
    batch = [exists("/t", is_dir=True), exists("/t/d", is_dir=True), exists("/t/d/f")]
    assert list(listing(batch, "/t/")) == [
        Content(RESYNC),
        Content(LISTING, entries=[("d", True), ("d/f", False)]),
        Content(RESYNCED),
    ]
    assert list(listing([], "/t/")) == [Content(RESYNC), Content(RESYNCED)]


def test_a_long_listing_is_cut_by_number_and_by_size() -> None:
    many = [exists(f"/t/{number}") for number in range(ENTRIES_PER_PIECE + 1)]
    pieces = [each for each in listing(many, "/t/") if each.kind == LISTING]
    assert [len(piece.entries) for piece in pieces] == [ENTRIES_PER_PIECE, 1]
    long = [exists(f"/t/{number}{'x' * 4000}") for number in range(20)]
    pieces = [each for each in listing(long, "/t/") if each.kind == LISTING]
    assert len(pieces) > 1
    assert sum(len(piece.entries) for piece in pieces) == 20


def test_what_exists_has_a_status_and_what_is_gone_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("seven!!")
    prefix = f"{tmp_path}/"
    made, gone, moved, deleted = with_status(
        [
            Content("created", "file"),
            Content("changed", "missing"),
            Content("moved", "old", "file"),
            Content("deleted", "file"),
        ],
        prefix,
        with_generation=False,
    )
    found = os.lstat(tmp_path / "file")
    assert made.status is not None
    assert made.status[:3] == (7, found.st_mtime_ns, found.st_ino)
    assert moved.status == made.status
    assert gone.status is None
    assert deleted.status is None


def test_a_generation_is_asked_for_only_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def of(_: Generations, path: bytes, __: int) -> int:
        asked.append(path)
        return 7

    monkeypatch.setattr(Generations, "of", of)
    (tmp_path / "file").touch()
    made = [Content("created", "file")]

    def generation(*, with_generation: bool) -> int | None:
        prefix = f"{tmp_path}/"
        [found] = with_status(made, prefix, with_generation=with_generation)
        assert found.status is not None
        return found.status.generation

    assert generation(with_generation=True) == 7
    assert len(asked) == 1
    assert generation(with_generation=False) is None
    assert len(asked) == 1
