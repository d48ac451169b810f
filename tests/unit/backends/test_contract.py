"""What every backend promises, tried on each against the real kernel.

Abilities of a single backend are tested in its own file; do not add them here.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testkit.backends import ALL, NAMES, Directory, Way, available, story
from testkit.narrow import run_narrowed

NOBODY = 65534


@pytest.fixture(params=list(available()), ids=repr)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture
def backend(way: Way) -> Iterator[Any]:
    backend = way.open()
    yield backend
    backend.close()


@pytest.fixture
def watched(backend: Any, tmp_path: Path) -> Directory:
    node = Directory(tmp_path)
    backend.watch(node, ALL)
    return node


def test_a_new_watch_reports_nothing(
    way: Way, backend: Any, watched: Directory
) -> None:
    assert watched.is_watched
    assert not way.seen(backend)


def test_existing_entries_are_not_reported(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "older").mkdir()
    backend.watch(Directory(tmp_path), ALL)
    assert not way.seen(backend)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        pytest.param(os.mknod, "created new", id="file"),
        pytest.param(os.mkdir, "created new/", id="directory"),
        pytest.param(os.mkfifo, "created new", id="fifo"),
        pytest.param(lambda p: os.symlink("nowhere", p), "created new", id="dangling"),
        pytest.param(
            lambda p: os.symlink("/", p), "created new", id="link to directory"
        ),
    ],
)
def test_a_new_entry_is_reported_as_created(
    way: Way,
    backend: Any,
    watched: Directory,
    tmp_path: Path,
    make: Callable[[Path], None],
    line: str,
) -> None:
    make(tmp_path / "new")
    changes = way.seen(backend)
    assert story(changes) == [line]
    assert all(change.node is watched for change in changes)
    assert not way.seen(backend)


def test_removed_entries_are_reported_as_deleted(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "sub").mkdir()
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "file").unlink()
    (tmp_path / "sub").rmdir()
    assert sorted(story(way.seen(backend))) == ["deleted file", "deleted sub/"]


def test_a_rename_within_is_a_deletion_and_a_creation(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "old").touch()
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "old").rename(tmp_path / "new")
    changes = way.seen(backend)
    assert story(changes) == ["deleted old", "created new"]
    one, other = changes
    assert one.cookie == other.cookie
    assert bool(one.cookie) is way.pairs_renames


def test_a_rename_between_two_watched_directories_is_reported_in_both(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    nodes = []
    for directory in (here, there):
        directory.mkdir()
        nodes.append(Directory(directory))
        backend.watch(nodes[-1], ALL)
    (here / "sub").mkdir()
    way.seen(backend)
    (here / "sub").rename(there / "sub")
    changes = way.seen(backend)
    assert story(changes, nodes[0]) == ["deleted sub/"]
    assert story(changes, nodes[1]) == ["created sub/"]


def test_a_written_file_is_reported_as_changed(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("before")
    backend.watch(Directory(tmp_path), ALL)
    with (tmp_path / "file").open("a") as file:
        file.write(" and after")
    assert story(way.seen(backend)) == ["written file"]
    assert not way.seen(backend)


def test_reading_and_listing_are_not_reported(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("text")
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "file").read_text()
    os.listdir(tmp_path)
    assert not way.seen(backend)


def test_changed_rights_of_entries_are_reported(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch(0o600)
    (tmp_path / "sub").mkdir(0o700)
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "sub").chmod(0o750)
    lines = story(way.seen(backend))
    assert sorted(lines) == ["attributes file", "attributes sub/"]


def test_changed_rights_of_the_directory_are_reported(
    way: Way, backend: Any, watched: Directory, tmp_path: Path
) -> None:
    tmp_path.chmod(0o750 if stat.S_IMODE(tmp_path.stat().st_mode) == 0o700 else 0o700)
    changes = way.seen(backend)
    assert story(changes) == ["attributes /"]
    assert changes[0].name == b""


def test_changes_in_a_subdirectory_are_not_reported(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    backend.watch(Directory(tmp_path), ALL)
    (tmp_path / "sub" / "file").write_text("text")
    assert not way.seen(backend)


def test_the_removal_of_the_directory_ends_its_watch(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    path = tmp_path / "box"
    path.mkdir()
    node = Directory(path)
    backend.watch(node, ALL)
    path.rmdir()
    changes = way.seen(backend)
    assert story(changes)[-1].rstrip("/") == "ignored"
    assert changes[-1].name == b""
    assert not node.is_watched


def test_a_directory_that_is_created_again_can_be_watched_again(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    path = tmp_path / "box"
    path.mkdir()
    node = Directory(path)
    backend.watch(node, ALL)
    path.rmdir()
    way.seen(backend)
    path.mkdir()
    backend.watch(node, ALL)
    os.mknod(path / "new")
    assert story(way.seen(backend)) == ["created new"]


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe not UTF-8", b"two\nlines", b" ", b"x" * 255, b"\x1b[2J"],
    ids=["not UTF-8", "newline", "blank", "long", "control"],
)
def test_names_are_bytes(way: Way, backend: Any, tmp_path: Path, name: bytes) -> None:
    inside = tmp_path / os.fsdecode(name)
    inside.mkdir()
    outer, inner = Directory(tmp_path), Directory(inside)
    backend.watch(outer, NAMES)
    backend.watch(inner, NAMES)
    os.mknod(inside / os.fsdecode(name))
    assert [(c.node, c.name) for c in way.seen(backend)] == [(inner, name)]
    inside.rename(tmp_path / "plain")
    names = [c.name for c in way.seen(backend) if c.node is outer]
    assert names == [name, b"plain"]


def test_an_unwatched_directory_is_silent(
    way: Way, backend: Any, watched: Directory, tmp_path: Path
) -> None:
    os.mknod(tmp_path / "before")
    backend.unwatch(watched)
    os.mknod(tmp_path / "after")
    assert not watched.is_watched
    assert not way.seen(backend)


def test_unwatching_one_directory_leaves_the_other(
    way: Way, backend: Any, watched: Directory, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    way.seen(backend)
    other = Directory(tmp_path / "sub")
    backend.watch(other, ALL)
    backend.unwatch(watched)
    os.mknod(tmp_path / "sub" / "new")
    assert story(way.seen(backend), other) == ["created new"]


def test_a_missing_directory_cannot_be_watched(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    node = Directory(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        backend.watch(node, ALL)
    assert not node.is_watched
    assert not way.seen(backend)


def test_a_file_cannot_be_watched(backend: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "link"):
        node = Directory(path)
        with pytest.raises(NotADirectoryError):
            backend.watch(node, ALL)
        assert not node.is_watched


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Root may read everything."""
    user = os.geteuid()
    if user:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_an_unreadable_directory_cannot_be_watched(backend: Any) -> None:
    with tempfile.TemporaryDirectory() as outer:
        os.chmod(outer, 0o755)
        closed = Path(outer, "closed")
        closed.mkdir(0o300)
        with as_an_ordinary_user(), pytest.raises(PermissionError):
            backend.watch(Directory(closed), ALL)
        closed.chmod(0o700)


def test_a_mask_of_names_reports_names_only(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    backend.watch(Directory(tmp_path), NAMES)
    (tmp_path / "file").write_text("text")
    (tmp_path / "file").chmod(0o600)
    os.mknod(tmp_path / "new")
    assert story(way.seen(backend)) == ["created new"]


def test_a_mask_can_be_extended(way: Way, backend: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "gone").touch()
    node = Directory(tmp_path)
    backend.watch(node, NAMES)
    (tmp_path / "gone").unlink()
    os.mknod(tmp_path / "new")
    backend.watch(node, ALL)
    (tmp_path / "file").write_text("text")
    lines = story(way.seen(backend))
    assert lines == ["deleted gone", "created new", "written file"]


def test_a_mask_can_be_reduced(
    way: Way, backend: Any, watched: Directory, tmp_path: Path
) -> None:
    os.mknod(tmp_path / "file")
    way.seen(backend)
    backend.watch(watched, NAMES)
    (tmp_path / "file").write_text("text")
    (tmp_path / "file").unlink()
    assert story(way.seen(backend)) == ["deleted file"]


def test_a_directory_with_two_paths_reports_to_both_nodes(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "real" / "box").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    direct = Directory(tmp_path / "real" / "box")
    linked = Directory(tmp_path / "link" / "box")
    for node in (direct, linked):
        backend.watch(node, ALL)
    os.mknod(tmp_path / "real" / "box" / "new")
    changes = way.seen(backend)
    assert story(changes, direct) == story(changes, linked) == ["created new"]

    backend.unwatch(direct)
    (tmp_path / "link" / "box" / "new").unlink()
    changes = way.seen(backend)
    assert story(changes, direct) == []
    assert story(changes, linked) == ["deleted new"]


def test_many_entries_at_once_are_all_reported(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    backend.watch(Directory(tmp_path), NAMES)
    expected = [f"created {number:04}" for number in range(1500)]
    for line in expected:
        os.mknod(tmp_path / line.removeprefix("created "))
    assert sorted(story(way.seen(backend))) == expected


FULL = """
import sys
from gamin.errors import WatchLimitReached
from testkit.backends import ALL, Directory, available

way = next(way for way in available() if way.name == sys.argv[1])
backend = way.open()
for quota, place in zip(way.quotas, ("/", "/etc")):
    backend.watch(Directory(place), ALL)
node = Directory("/usr")
try:
    backend.watch(node, ALL)
except WatchLimitReached as error:
    print(error.path, error.limit, node.is_watched)
backend.close()
"""


def test_a_full_facility_raises_watch_limit_reached(way: Way) -> None:
    if not way.quotas:
        pytest.skip("nothing limits it")
    answer = run_narrowed(dict.fromkeys(way.quotas, 1), FULL, way.name)
    assert answer == f"b'/usr' {len(way.quotas)} False\n"
