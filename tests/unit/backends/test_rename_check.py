"""Sources of renames that exist afterwards, on the real kernel and real files.

`test_following` tests that the core ends with the right names.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gamin.backends.rename_check import RenameCheck
from gamin.events import (
    CREATE,
    DELETE,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    Change,
)
from testkit.actions.renameat2 import RENAME_EXCHANGE, RENAME_WHITEOUT, renameat2
from testkit.backends import ALL, Directory, Way, available

WAYS = list(available())
Make = Callable[[Path], None]


def a_file(path: Path) -> None:
    path.write_text(path.name)


def a_directory(path: Path) -> None:
    path.mkdir()
    (path / "inside").touch()


@pytest.fixture(params=WAYS, ids=repr)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture
def backend(way: Way) -> Iterator[Any]:
    backend = way.open()
    yield backend
    backend.close()


class Names:
    """The names in one directory, according to its changes, applied one by one."""

    def __init__(self, node: Directory) -> None:
        self.node = node
        self.known = dict(listed(node))
        self.reported: set[bytes] = set()
        """The names that may have another content or another object now."""

    def apply(self, changes: list[Change]) -> None:
        for node, mask, _, name in changes:
            if node is not self.node or not name:
                continue
            if mask & (CREATE | MOVED_TO):
                self.known[name] = mask & IS_DIR != 0
            elif mask & (DELETE | MOVED_FROM):
                self.known.pop(name, None)
            if mask & (CREATE | MOVED_TO | MODIFY):
                self.reported.add(name)


def listed(node: Directory) -> dict[bytes, bool]:
    with os.scandir(node.path()) as entries:
        return {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("folders", [("one", "one"), ("one", "two")])
@pytest.mark.parametrize(
    "makes",
    [
        pytest.param((a_file, a_file), id="files"),
        pytest.param((a_directory, a_directory), id="directories"),
        pytest.param((a_file, a_directory), id="file and directory"),
        pytest.param((a_directory, a_file), id="directory and file"),
    ],
)
def test_exchanged_names_both_exist_and_both_are_reported(
    way: Way,
    backend: Any,
    tmp_path: Path,
    makes: tuple[Make, Make],
    folders: tuple[str, str],
    times: int,
) -> None:
    for folder in {*folders}:
        (tmp_path / folder).mkdir()
    a, b = tmp_path / folders[0] / "a", tmp_path / folders[1] / "b"
    for make, path in zip(makes, (a, b), strict=True):
        make(path)
    nodes = {path: Directory(tmp_path / path) for path in folders}
    for node in nodes.values():
        backend.watch(node, ALL)
    beliefs = {path: Names(node) for path, node in nodes.items()}
    for _ in range(times):
        renameat2(a, b, RENAME_EXCHANGE)
    changes = list(way.seen(backend))
    for belief in beliefs.values():
        belief.apply(changes)
        assert belief.known == listed(belief.node)
    if times % 2 and way.quotas:
        assert b"a" in beliefs[folders[0]].reported
        assert b"b" in beliefs[folders[1]].reported


def test_the_whiteout_that_a_rename_leaves_is_reported(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    a_file(tmp_path / "a")
    node = Directory(tmp_path)
    backend.watch(node, ALL)
    belief = Names(node)
    renameat2(tmp_path / "a", tmp_path / "b", RENAME_WHITEOUT)
    belief.apply(list(way.seen(backend)))
    assert belief.known == listed(node) == {b"a": False, b"b": False}


def test_the_whiteout_is_reported_if_the_file_went_to_where_nobody_watches(
    way: Way, backend: Any, tmp_path: Path
) -> None:
    (tmp_path / "watched").mkdir()
    a_file(tmp_path / "watched" / "a")
    node = Directory(tmp_path / "watched")
    backend.watch(node, ALL)
    belief = Names(node)
    renameat2(tmp_path / "watched" / "a", tmp_path / "b", RENAME_WHITEOUT)
    belief.apply(list(way.seen(backend)))
    assert belief.known == listed(node) == {b"a": False}


@pytest.fixture
def node(tmp_path: Path) -> Directory:
    node = Directory(tmp_path)
    node.wd = 1
    return node


def renamed(node: Directory, old: bytes, new: bytes, cookie: int = 1) -> list[Change]:
    return [
        Change(node, MOVED_FROM, cookie, old),
        Change(node, MOVED_TO, cookie, new),
    ]


def in_place(node: object) -> bool:
    return True


def observe(check: RenameCheck, batch: list[Change]) -> None:
    """As a backend does that found the halves while it decoded."""
    check.observe(batch, [at for at, change in enumerate(batch) if change.cookie])


def test_a_source_that_is_gone_needs_no_correction(node: Directory) -> None:
    check = RenameCheck()
    observe(check, renamed(node, b"a", b"b"))
    assert check
    assert check.resolve(in_place) == []
    assert not check


def test_a_source_that_a_later_change_explains_is_not_probed(
    node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    check = RenameCheck()
    observe(check, [*renamed(node, b"a", b"b"), Change(node, CREATE, 0, b"a")])
    assert check.resolve(in_place) == []


def test_a_change_of_the_same_name_elsewhere_explains_nothing(
    node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    other = Directory(tmp_path / "elsewhere")
    check = RenameCheck()
    observe(check, [*renamed(node, b"a", b"b"), Change(other, CREATE, 0, b"a")])
    assert check.resolve(in_place) == [Change(node, CREATE, 0, b"a")]


def test_a_rename_to_where_nobody_watches_is_looked_up_without_its_target(
    node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    check = RenameCheck()
    check.observe([Change(node, DELETE, 0, b"a")], [0])
    assert check.resolve(in_place) == [Change(node, CREATE, 0, b"a")]


def test_the_target_of_an_unexplained_rename_is_reported_as_it_is(
    node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").mkdir()
    check = RenameCheck()
    observe(check, renamed(node, b"a", b"b"))
    assert check.resolve(in_place) == [
        Change(node, CREATE, 0, b"a"),
        Change(node, MOVED_TO | IS_DIR, 0, b"b"),
    ]


def test_a_target_that_is_gone_again_is_left_to_its_event(
    node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    check = RenameCheck()
    observe(check, renamed(node, b"a", b"b"))
    assert check.resolve(in_place) == [Change(node, CREATE, 0, b"a")]


def test_a_misplaced_directory_is_probed_again_after_the_next_batch(
    node: Directory, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    check = RenameCheck()
    observe(check, renamed(node, b"a", b"b"))
    assert check.resolve(lambda _: False) == []
    assert not check
    assert check.is_waiting
    observe(check, [])
    assert check.resolve(lambda _: False) == []
    observe(check, [])
    assert check.resolve(in_place) == [Change(node, CREATE, 0, b"a")]


@pytest.mark.parametrize("is_in_the_same_batch", [True, False])
def test_what_explains_a_name_counts_while_its_directory_is_elsewhere(
    node: Directory, tmp_path: Path, is_in_the_same_batch: bool
) -> None:
    (tmp_path / "a").touch()
    check = RenameCheck()
    batch, made = renamed(node, b"a", b"b"), [Change(node, CREATE, 0, b"a")]
    observe(check, batch + made * is_in_the_same_batch)
    assert check.resolve(lambda _: False) == []
    observe(check, [] if is_in_the_same_batch else made)
    assert check.resolve(in_place) == []


def test_an_unwatched_directory_is_not_probed(node: Directory, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    check = RenameCheck()
    observe(check, renamed(node, b"a", b"b"))
    check.forget(node)
    assert not check
