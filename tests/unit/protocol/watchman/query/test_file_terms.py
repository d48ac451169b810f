from typing import Any

import pytest

from gamin.protocol.watchman.query.file_row import Facts
from testkit.expressions import complaint, matches
from testkit.rows import DIRECTORY, FILE, LINK, NOW, FakeDisk, row

THEN = str(NOW.clock(50))


def test_constants() -> None:
    assert matches("true", row())
    assert not matches("false", row())
    assert matches(["true"], row())


def test_existence() -> None:
    assert matches("exists", row())
    assert not matches("exists", row(exists=False))


@pytest.mark.parametrize(
    ("facts", "empty"),
    [
        pytest.param(FILE, True, id="a file"),
        pytest.param(DIRECTORY, True, id="a directory"),
        pytest.param(FILE._replace(st_size=1), False, id="a file with something in it"),
        pytest.param(LINK, False, id="a link"),
    ],
)
def test_what_is_empty(facts: Facts, empty: bool) -> None:
    assert matches("empty", row(facts=facts)) is empty


def test_a_missing_file_is_not_empty() -> None:
    assert not matches("empty", row(exists=False))


def test_types() -> None:
    assert matches(["type", "f"], row(facts=FILE))
    assert matches(["type", "l"], row(facts=LINK))
    assert not matches(["type", "f"], row(facts=LINK))
    assert matches(["type", "d"], row(facts=DIRECTORY, is_dir=True))
    assert not matches(["type", "f"], row(facts=DIRECTORY, is_dir=True))


def test_directories_are_known_without_looking_at_the_disk() -> None:
    disk = FakeDisk(None)
    matches(["anyof", ["type", "d"], ["not", "exists"]], row(disk=disk))
    assert disk.probes == []


def test_a_deleted_file_is_still_a_file() -> None:
    assert matches(["type", "f"], row(exists=False))


def test_sizes() -> None:
    assert matches(["size", "gt", 2], row(facts=FILE._replace(st_size=3)))
    assert not matches(["size", "le", 2], row(exists=False))


def test_since_a_clock_compares_ticks() -> None:
    assert matches(["since", THEN], row(changed_tick=51))
    assert not matches(["since", THEN], row(changed_tick=50))
    assert matches(["since", THEN, "cclock"], row(born_tick=51))
    assert not matches(["since", THEN, "cclock"], row(changed_tick=51, born_tick=50))


def test_since_a_stale_clock_whatever_exists_has_changed() -> None:
    for stale in ("c:1:2:3:4", "c:1:2"):
        assert matches(["since", stale], row())
        assert not matches(["since", stale], row(changed_tick=99, exists=False))


@pytest.mark.parametrize("field", ["mtime", "ctime", "oclock", "cclock"])
def test_since_a_time_compares_the_file(field: str) -> None:
    at_eight = Facts(FILE.st_mode, st_mtime_ns=8 * 10**9, st_ctime_ns=8 * 10**9)
    assert matches(["since", 8, field], row(facts=at_eight))
    assert not matches(["since", 9, field], row(facts=at_eight))


def test_a_missing_file_may_have_changed_at_any_time() -> None:
    assert matches(["since", 9], row(exists=False))
    assert not matches(["since", 9, "mtime"], row(exists=False))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("type", '"type" term requires a type string parameter'),
        (["type", 1], 'First parameter to "type" term must be a type string'),
        (["type"], 'First parameter to "type" term must be a type string'),
        (["type", "x"], "invalid type string 'x'"),
        (["type", "?"], "invalid type string '?'"),
        ("size", "Expected array for 'size' term"),
        (["size", "gt"], "integer comparator must have 3 elements"),
        ("since", '"since" term must be an array'),
        (["since"], '"since" term has invalid number of parameters'),
        (["since", 1, "oclock", 3], '"since" term has invalid number of parameters'),
        (["since", "x"], "invalid clockspec"),
        (["since", 1.5], "invalid clockspec"),
        (["since", "n:x"], 'named cursors are not allowed in "since" terms'),
        (["since", 1, "x"], 'invalid field name "x" for "since" term'),
        (["since", 1, 2], 'field name for "since" term must be a string'),
        (
            ["since", THEN, "mtime"],
            'field "mtime" requires a timestamp value for comparison in "since" term',
        ),
    ],
)
def test_wrong_arguments_give_a_clear_error(expression: Any, text: str) -> None:
    assert complaint(expression) == text
