"""What is sent of a batch: pieces of a listing, and what is seen of files."""

import os
from pathlib import Path

from gamin.events import Event, Kind
from gamin.fleet.message import LISTING, RESYNC, RESYNCED, Content
from gamin.fleet.publisher import ENTRIES_PER_PIECE, _listing, _with_status


def exists(path: str, *, is_dir: bool = False) -> Event:
    return Event(Kind.EXISTS, path, is_dir=is_dir)


def test_a_listing_is_between_two_marks_and_leaves_the_tree_itself_out() -> None:
    batch = [exists("/t", is_dir=True), exists("/t/d", is_dir=True), exists("/t/d/f")]
    assert list(_listing(batch, "/t/")) == [
        Content(RESYNC),
        Content(LISTING, entries=[("d", True), ("d/f", False)]),
        Content(RESYNCED),
    ]
    assert list(_listing([], "/t/")) == [Content(RESYNC), Content(RESYNCED)]


def test_a_long_listing_is_cut_by_number_and_by_size() -> None:
    many = [exists(f"/t/{number}") for number in range(ENTRIES_PER_PIECE + 1)]
    pieces = [each for each in _listing(many, "/t/") if each.kind == LISTING]
    assert [len(piece.entries) for piece in pieces] == [ENTRIES_PER_PIECE, 1]
    long = [exists(f"/t/{number}{'x' * 4000}") for number in range(20)]
    pieces = [each for each in _listing(long, "/t/") if each.kind == LISTING]
    assert len(pieces) > 1
    assert sum(len(piece.entries) for piece in pieces) == 20


def test_what_exists_has_a_status_and_what_is_gone_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("seven!!")
    prefix = f"{tmp_path}/"
    made, gone, moved, deleted = _with_status(
        [
            Content("created", "file"),
            Content("changed", "missing"),
            Content("moved", "old", "file"),
            Content("deleted", "file"),
        ],
        prefix,
    )
    found = os.lstat(tmp_path / "file")
    assert made.status is not None
    assert made.status == (7, found.st_mtime_ns, found.st_ino)
    assert moved.status == made.status
    assert gone.status is None
    assert deleted.status is None
