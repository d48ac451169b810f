"""What threads saw of files, and when that is not true any more."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.daemon.io.errands import Errands
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.facts import Facts, FarDisk, NotSeen, SeenDisk
from gamin.events import Kind, Row
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.system import reach
from gamin.system.errands import Distant, may_wait_for

SOON = 20.0
"""Seconds within which a busy machine answers."""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Path]:
    """A directory with a file and a link, as if it were a mount that may hang."""
    folder = tmp_path.resolve()
    (folder / "file").write_bytes(b"four")
    (folder / "link").symlink_to("file")
    reach.use({bytes(folder): False})
    yield folder
    reach.use({})


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def look(facts: Facts, loop: Loop, far: Path, *names: str, then: list[Row]) -> SeenDisk:
    """Have a thread look; `then` happens before the loop knows."""
    threads, disk = Errands(loop), SeenDisk(facts, bytes(far) + b"/")

    def done() -> None:
        found.extend(_seen(disk, name.encode()) for name in names)
        loop.stop()

    found: list[int | bytes | None] = []
    facts.look(threads, bytes(far), [bytes(far / name) for name in names], done)
    facts.happened(then)
    loop.call_later(SOON, loop.stop)
    loop.run()
    threads.close()
    assert found == [None if then else 4] * len(names)
    return disk


def _seen(disk: SeenDisk, name: bytes) -> int | None:
    try:
        status = disk.lstat(name)
    except NotSeen:
        return None
    return None if status is None else status.st_size


def row(path: Path, *, is_dir: bool = False) -> Row:
    return Row(Kind.CHANGED, bytes(path), is_dir)


def test_what_a_thread_saw_is_known_while_it_is_delivered(
    far: Path, loop: Loop
) -> None:
    look(Facts(), loop, far, "file", then=[])


@pytest.mark.parametrize("is_dir", [False, True])
def test_what_changed_meanwhile_must_be_looked_at_again(
    far: Path, loop: Loop, *, is_dir: bool
) -> None:
    changed = far if is_dir else far / "file"
    look(Facts(), loop, far, "file", then=[row(changed, is_dir=is_dir)])


def test_what_nobody_looked_at_is_asked_for_at_once(far: Path) -> None:
    rows = [
        FileRow(b"file", Kind.EXISTS),
        FileRow(b"link", Kind.EXISTS),
        FileRow(b"gone", Kind.DELETED, exists=False),
    ]
    with pytest.raises(NotSeen) as unseen:
        Facts().require(bytes(far) + b"/", rows)
    assert unseen.value.paths == [bytes(far / "file"), bytes(far / "link")]


def test_a_far_disk_is_for_threads_that_may_wait(far: Path) -> None:
    disk = FarDisk(bytes(far) + b"/")
    with pytest.raises(Distant):
        disk.lstat(b"file")
    found: list[object] = []

    def run() -> None:
        may_wait_for(bytes(far))
        found.append(disk.readlink(b"link"))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(SOON)
    assert found == [b"file"]
    assert disk.readlink(b"link") == b"file"
