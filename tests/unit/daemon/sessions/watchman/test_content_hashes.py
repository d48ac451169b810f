"""Hashes of files: what has one, what has an error, and when a file is read again."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.content_hashes import PIECE_BYTES, ContentHashes
from gamin.events import Kind
from gamin.protocol.watchman.query.file_row import FileRow, Sha1
from testkit.waiting import eventually


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def hashes(loop: Loop) -> ContentHashes:
    return ContentHashes(loop)


def of(loop: Loop, hashes: ContentHashes, folder: Path, *rows: FileRow) -> list[Sha1]:
    done: list[bool] = []
    hashes.fill(rows, bytes(folder) + b"/", b"", lambda: done.append(True))

    def is_done() -> bool:
        loop.run_once(0.05)
        return bool(done)

    eventually(is_done, what="the hashes")
    return [row.sha1 for row in rows]


def row(name: str, *, is_dir: bool = False, exists: bool = True) -> FileRow:
    return FileRow(name.encode(), Kind.EXISTS, is_dir, exists)


def test_a_file_has_the_hash_of_its_content(
    loop: Loop, hashes: ContentHashes, tmp_path: Path
) -> None:
    contents = {"empty": b"", "small": b"x", "large": b"y" * (2 * PIECE_BYTES + 1)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = of(loop, hashes, tmp_path, *map(row, contents))
    assert found == [hashlib.sha1(each).hexdigest() for each in contents.values()]


def test_a_directory_and_a_deleted_file_have_none(
    loop: Loop, hashes: ContentHashes, tmp_path: Path
) -> None:
    (tmp_path / "directory").mkdir()
    rows = row("directory", is_dir=True), row("gone", exists=False)
    assert of(loop, hashes, tmp_path, *rows) == [None, None]


def test_what_cannot_be_read_has_an_error(
    loop: Loop, hashes: ContentHashes, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    pipe, link, missing = of(
        *(loop, hashes, tmp_path, row("pipe"), row("link"), row("missing"))
    )
    assert pipe == {"error": "not a regular file"}
    assert link == {"error": "open: Too many levels of symbolic links"}
    assert missing == {"error": "open: No such file or directory"}


def test_a_file_is_read_again_only_when_it_changed(
    loop: Loop, hashes: ContentHashes, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    first = of(loop, hashes, tmp_path, row("file"))
    assert of(loop, hashes, tmp_path, row("file")) == first
    assert (hashes.hits, hashes.misses) == (1, 1)
    file.write_text("three")
    assert of(loop, hashes, tmp_path, row("file")) != first
    assert (hashes.hits, hashes.misses) == (1, 2)


def test_only_so_many_hashes_are_kept(
    loop: Loop,
    hashes: ContentHashes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gamin.daemon.sessions.watchman.content_hashes.MAX_KEPT", 2)
    names = ["a", "b", "c"]
    for name in names:
        (tmp_path / name).write_text(name)
    of(loop, hashes, tmp_path, *map(row, names))
    assert hashes.kept == 2
    of(loop, hashes, tmp_path, row("c"))
    assert hashes.hits == 1
