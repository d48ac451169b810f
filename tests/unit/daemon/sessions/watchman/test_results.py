"""Rows of the core as rows of a query."""

import os
from pathlib import Path

from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.watchman.last_stats import LastStats
from gamin.daemon.sessions.watchman.results import (
    ResultBuilder,
    RootDisk,
    admitted,
    unfolded,
)
from gamin.events import Kind, Row
from gamin.patterns.ignore_rules import IgnoreRules
from gamin.protocol.watchman.query.query import parse_query
from testkit.doubles.engine import Shell
from testkit.rows import NOW


def tree(*globs: bytes) -> Subscription:
    """A subscription to /r, which has d/f and d/sub/g, with globs to ignore."""
    shell = Shell()
    shell.disk.makedirs(b"/r/d/sub")
    shell.disk.touch(b"/r/d/f")
    shell.disk.touch(b"/r/d/sub/g")
    rules = IgnoreRules(list(globs)) if globs else None
    return shell.view().subscribe(b"/r", Scope.TREE, ignore=rules)


def moved(source: bytes, path: bytes, *, is_dir: bool = False) -> Row:
    return Row(Kind.MOVED, path, is_dir, source, True)


def test_every_row_is_admitted_without_rules() -> None:
    rows = [Row(Kind.CREATED, b"/r/x.o", False)]
    assert list(admitted(tree(), rows)) == rows


def test_ignored_rows_are_left_out() -> None:
    rows = [Row(Kind.CREATED, b"/r/x.o", False), Row(Kind.CREATED, b"/r/x.c", False)]
    assert list(admitted(tree(b"*.o"), rows)) == rows[1:]


def test_a_rename_into_what_is_ignored_is_a_deletion() -> None:
    rows = admitted(tree(b"*.o"), [moved(b"/r/a.c", b"/r/a.o")])
    assert list(rows) == [Row(Kind.DELETED, b"/r/a.c", False)]


def test_a_rename_out_of_what_is_ignored_is_a_creation() -> None:
    rows = admitted(tree(b"*.o"), [moved(b"/r/a.o", b"/r/a.c")])
    assert list(rows) == [Row(Kind.CREATED, b"/r/a.c", False, None, True)]


def test_a_rename_within_what_is_ignored_is_nothing() -> None:
    assert not list(admitted(tree(b"*.o"), [moved(b"/r/a.o", b"/r/b.o")]))


def test_a_renamed_directory_unfolds_into_all_that_is_in_it() -> None:
    rows = unfolded(tree(), [moved(b"/r/old", b"/r/d", is_dir=True)])
    as_words = [(row.kind.value, row.path) for row in rows]
    gone = [path for kind, path in as_words if kind == "deleted"]
    new = [path for kind, path in as_words if kind == "created"]
    assert set(gone) == {b"/r/old", b"/r/old/f", b"/r/old/sub", b"/r/old/sub/g"}
    assert set(new) == {b"/r/d", b"/r/d/f", b"/r/d/sub", b"/r/d/sub/g"}
    assert gone[-1] == b"/r/old", "what is inside goes first"
    assert gone.index(b"/r/old/sub/g") < gone.index(b"/r/old/sub")
    assert new[0] == b"/r/d", "the directory comes first"


def names(rows: list[Row], **query: object) -> list[bytes]:
    builder = ResultBuilder(tree(), parse_query(query))
    return [row.name for row in builder.rows(rows, NOW)]


ROWS = [
    Row(Kind.EXISTS, b"/r/a.c", False),
    Row(Kind.EXISTS, b"/r/d", True),
    Row(Kind.EXISTS, b"/r/d/b.c", False),
]


def test_names_are_relative_to_the_root() -> None:
    assert names(ROWS) == [b"a.c", b"d", b"d/b.c"]


def test_names_may_be_relative_to_a_directory_below_it() -> None:
    assert names(ROWS, relative_root="d") == [b"b.c"]


def test_an_expression_and_a_generator_both_limit_rows() -> None:
    assert names(ROWS, suffix="c", expression=["dirname", "d"]) == [b"d/b.c"]


def test_a_deleted_row_is_never_probed() -> None:
    builder = ResultBuilder(tree(), parse_query({}))
    [row] = builder.rows([Row(Kind.DELETED, b"/r/a.c", False)], NOW)
    assert not row.exists
    assert row.stat.st_size == 0


def test_the_disk_of_a_root_never_raises(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    disk = RootDisk(bytes(tmp_path) + b"/")
    assert disk.readlink(b"link") == b"target"
    assert disk.readlink(b"missing") is None
    assert disk.lstat(b"missing") is None
    own = disk.lstat(b"")
    assert own is not None
    assert own.st_ino == tmp_path.stat().st_ino


def test_a_deleted_file_has_the_status_that_was_seen_last(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    last = LastStats()
    disk = RootDisk(os.fsencode(tmp_path) + b"/", last)
    seen = disk.lstat(b"file")
    (tmp_path / "file").unlink()
    assert disk.lstat(b"file") is None
    assert disk.last_stat(b"file") is seen
    assert disk.last_stat(b"other") is None
    assert RootDisk(os.fsencode(tmp_path) + b"/").last_stat(b"file") is None
