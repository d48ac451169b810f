"""Hashes of files: what has one, what has an error, and when a file is read again."""

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman import content_hashes
from gamin.daemon.sessions.watchman.content_hashes import (
    FAR_BYTES,
    NEAR_BYTES,
    ContentHashes,
)
from gamin.events import Kind
from gamin.protocol.watchman.query.file_row import FileRow, Sha1
from gamin.system import reach
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

    loop_until(loop, lambda: bool(done))
    return [row.sha1 for row in rows]


def loop_until(loop: Loop, condition: Callable[[], bool]) -> None:
    def is_so() -> bool:
        loop.run_once(0.05)
        return condition()

    eventually(is_so, what="the hashes")


def row(name: str, *, is_dir: bool = False, exists: bool = True) -> FileRow:
    return FileRow(name.encode(), Kind.EXISTS, is_dir, exists)


def test_a_file_has_the_hash_of_its_content(
    loop: Loop, hashes: ContentHashes, tmp_path: Path
) -> None:
    contents = {"empty": b"", "small": b"x", "large": b"y" * (2 * NEAR_BYTES + 1)}
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


def test_a_file_on_a_mount_that_hangs_delays_no_file_beside_it(
    loop: Loop,
    hashes: ContentHashes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = tmp_path / "far"
    far.mkdir()
    (far / "file").write_text("far")
    (tmp_path / "file").write_text("near")
    answers = threading.Event()
    digest = content_hashes._digest

    def hanging(descriptor: int, piece_bytes: int) -> Generator[None, None, str]:
        is_far = os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(far))
        assert piece_bytes == (FAR_BYTES if is_far else NEAR_BYTES)
        if is_far:
            answers.wait(20)
        return (yield from digest(descriptor, piece_bytes))

    monkeypatch.setattr(content_hashes, "_digest", hanging)
    done: list[str] = []
    rows = row("far/file"), row("file")
    reach.use({bytes(far): False})
    try:
        directory = bytes(tmp_path) + b"/"
        reading = hashes.fill(rows, directory, b"", lambda: done.append("both"))
        near, other = of(loop, hashes, tmp_path, row("file"), row("far.not"))
        assert near == hashlib.sha1(b"near").hexdigest()
        assert other == {"error": "open: No such file or directory"}
        assert not done
        assert reading.stalled_point() is None
        monkeypatch.setattr(content_hashes, "STALLED_SECONDS", 0.0)
        assert reading.stalled_point() == bytes(far)
        answers.set()
        loop_until(loop, lambda: done == ["both"])
    finally:
        reach.use({})
    assert rows[0].sha1 == hashlib.sha1(b"far").hexdigest()
    assert rows[1].sha1 == near


def test_threads_that_keep_hashes_do_not_disturb_each_other(
    loop: Loop,
) -> None:
    hashes = ContentHashes(loop, most=1)
    interval = sys.getswitchinterval()
    finished: list[int] = []

    def keep(device: int) -> None:
        for inode in range(5_000):
            hashes._keep((device, inode, 0, 0, 0), "hash")
        finished.append(device)

    threads = [threading.Thread(target=keep, args=(device,)) for device in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(finished) == [0, 1, 2, 3]
    assert hashes.kept == 1


def test_only_so_many_hashes_are_kept(
    loop: Loop,
    tmp_path: Path,
) -> None:
    hashes = ContentHashes(loop, most=2)
    names = ["a", "b", "c"]
    for name in names:
        (tmp_path / name).write_text(name)
    of(loop, hashes, tmp_path, *map(row, names))
    assert hashes.kept == 2
    of(loop, hashes, tmp_path, row("c"))
    assert hashes.hits == 1
