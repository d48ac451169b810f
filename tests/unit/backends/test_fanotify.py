"""What only fanotify does: merged events, renames in one event, its kind of end.

`test_following` tries which orders of changes end in the right state.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.base import FIRST_MARK_COOKIE
from gamin.backends.fanotify import FanotifyBackend
from gamin.events import (
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    Change,
)
from gamin.system import fanotify
from testkit.backends import ALL, NAMES, Directory, story

NOBODY = 65534


@pytest.fixture
def backend() -> Iterator[FanotifyBackend]:
    try:
        backend = FanotifyBackend()
    except OSError as error:
        pytest.skip(f"the kernel refuses: {error.strerror}")
    yield backend
    backend.close()


@pytest.fixture
def watched(backend: FanotifyBackend, tmp_path: Path) -> Directory:
    node = Directory(tmp_path)
    backend.watch(node, ALL)
    return node


def seen(backend: FanotifyBackend) -> list[Change]:
    """The changes of everything that happened before this call."""
    changes: list[Change] = []
    while backend.has_pending:  # a drain that settles something reads nothing
        changes += backend.drain()
    changes += backend.drain()
    while backend.has_pending:
        changes += backend.drain()
    return changes


def test_a_rename_returns_both_halves_together(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    (tmp_path / "old").touch()
    backend.drain()
    (tmp_path / "old").rename(tmp_path / "new")
    one, other = backend.drain()
    assert one == Change(watched, MOVED_FROM, one.cookie, b"old")
    assert other == Change(watched, MOVED_TO, one.cookie, b"new")
    assert one.cookie > FIRST_MARK_COOKIE


def test_a_rename_with_one_watched_side_is_a_deletion_or_a_creation(
    backend: FanotifyBackend, tmp_path: Path
) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "file").touch()
    node = Directory(inside)
    backend.watch(node, NAMES)
    (inside / "file").rename(outside / "file")
    assert list(backend.drain()) == [Change(node, DELETE, 0, b"file")]
    (outside / "file").rename(inside / "back")
    assert list(seen(backend)) == [Change(node, MOVED_TO, 0, b"back")]


def test_a_creation_and_a_deletion_are_reported_in_that_order(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    (tmp_path / "short").write_text("text")
    (tmp_path / "short").unlink()
    assert story(seen(backend)) == ["created short", "deleted short"]


def test_a_deletion_and_a_creation_are_reported_in_that_order(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    backend.drain()
    (tmp_path / "file").unlink()
    (tmp_path / "file").write_text("text")
    lines = ["deleted file", "created file", "written file"]
    assert story(seen(backend)) == lines


def test_a_file_that_becomes_a_directory_is_deleted_and_created(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    for _ in range(2):
        os.mknod(tmp_path / "it")
        (tmp_path / "it").unlink()
        (tmp_path / "it").mkdir()
        (tmp_path / "it").rmdir()
    (tmp_path / "it").mkdir()
    assert seen(backend)[-1] == Change(watched, CREATE | IS_DIR, 0, b"it")


def test_equal_events_are_one(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    for _ in range(100):
        (tmp_path / "a").touch()
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "b").unlink()
    assert len(seen(backend)) < 10


def test_doubts_are_settled_before_anything_new_is_read(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    for _ in range(2):
        (tmp_path / "file").touch()
        (tmp_path / "file").unlink()
        backend.drain()
        assert backend.has_pending
        os.mknod(tmp_path / "new")
        assert list(backend.drain()) == []
        assert not backend.has_pending
        assert story(backend.drain()) == ["created new"]
        (tmp_path / "new").unlink()
        assert story(seen(backend)) == ["deleted new"]


def test_a_doubt_waits_for_the_rename_of_its_directory(
    backend: FanotifyBackend, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    outer, inner = Directory(tmp_path), Directory(box)
    backend.watch(outer, NAMES)
    backend.watch(inner, NAMES)
    os.mknod(box / "file")
    (box / "file").rename(box / "other")
    os.mknod(box / "file")
    backend.drain()
    box.rename(tmp_path / "moved")
    assert list(backend.drain()) == []  # it is not known yet where the box is
    assert story(backend.drain()) == ["deleted box/", "created moved/"]
    inner.place = bytes(tmp_path / "moved")
    assert Change(inner, CREATE, 0, b"file") in backend.drain()
    assert not backend.has_pending


def test_a_guess_in_a_directory_that_moved_is_corrected(
    backend: FanotifyBackend, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    node = Directory(box)
    backend.watch(node, NAMES)
    os.mknod(box / "file")
    (box / "file").unlink()
    os.mknod(box / "file")
    box.rename(tmp_path / "moved")
    assert story(backend.drain()) == ["created file", "deleted file"]
    node.place = bytes(tmp_path / "moved")
    assert list(backend.drain()) == [Change(node, CREATE, 0, b"file")]


def test_a_directory_at_an_unknown_place_ends_with_ignored(
    backend: FanotifyBackend, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    node = Directory(box)
    backend.watch(node, NAMES)
    os.mknod(box / "file")
    (box / "file").unlink()
    box.rename(tmp_path / "moved")  # and no event says where
    changes = [change for _ in range(4) for change in backend.drain()]
    assert changes[-1] == Change(node, IGNORED, 0, b"")
    assert not node.is_watched


@pytest.mark.parametrize("is_renamed", [False, True])
def test_late_events_of_a_directory_that_is_watched_again_are_in_doubt(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path, is_renamed: bool
) -> None:
    os.mknod(tmp_path / "file")
    if is_renamed:
        backend.drain()
        (tmp_path / "file").rename(tmp_path / "other")
    backend.unwatch(watched)
    (tmp_path / ("other" if is_renamed else "file")).unlink()  # no event says so
    backend.watch(watched, ALL)
    assert story(seen(backend))[-1] == f"deleted {'other' if is_renamed else 'file'}"
    assert not backend.has_pending
    os.mknod(tmp_path / "new")
    assert story(backend.drain()) == ["created new"]
    assert not backend.has_pending


def test_the_end_of_a_directory_is_its_last_change(
    backend: FanotifyBackend, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    node = Directory(box)
    backend.watch(node, ALL)
    box.chmod(0o711)  # the kernel joins the end with this
    (box / "file").touch()
    (box / "file").unlink()
    box.rmdir()
    assert story(seen(backend))[-2:] == ["deleted file", "ignored"]
    assert not node.is_watched
    assert [share.watches for share in backend.usage] == [0]


def test_too_many_events_at_once_overflow_the_queue(
    backend: FanotifyBackend, watched: Directory, tmp_path: Path
) -> None:
    room = fanotify.limit("max_queued_events")
    if room > 20_000:
        pytest.skip(f"the queue holds {room} events")
    for number in range(room + 1):
        os.mknod(tmp_path / str(number))
    changes = backend.drain()
    assert len(changes) == room + 1
    assert changes[-1] == Change(None, OVERFLOW, 0, b"")


def test_watches_are_counted(backend: FanotifyBackend, tmp_path: Path) -> None:
    nodes = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        nodes.append(Directory(tmp_path / name))
        backend.watch(nodes[-1], ALL)
    [share] = backend.usage
    assert share.watches == 2 < share.limit
    backend.unwatch(nodes[0])
    backend.unwatch(nodes[0])
    assert [share.watches for share in backend.usage] == [1]


ORDINARY = """
import os, sys
from gamin.backends.fanotify import FanotifyBackend
from testkit.backends import ALL, Directory, story

os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
try:
    backend = FanotifyBackend()
except OSError as error:
    sys.exit(f"refused: {error}")
backend.watch(Directory(sys.argv[2]), ALL)
open(sys.argv[2] + "/old", "w").close()
os.rename(sys.argv[2] + "/old", sys.argv[2] + "/new")
print(story(backend.drain()))
backend.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test is by such a user")
def test_an_ordinary_user_may_use_fanotify() -> None:
    with tempfile.TemporaryDirectory() as place:
        os.chown(place, NOBODY, NOBODY)
        answer = subprocess.run(
            [sys.executable, "-c", ORDINARY, str(NOBODY), place],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    if answer.stderr.startswith("refused"):
        pytest.skip(answer.stderr)
    lines = ["created old", "deleted old", "created new"]
    assert answer.stdout == f"{lines}\n", answer.stderr
