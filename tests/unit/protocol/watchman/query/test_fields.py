import stat

import pytest

from gamin.events import Kind
from gamin.protocol.watchman.codec.rows import render
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.fields import (
    DEFAULT_FIELDS,
    FIELDS,
    check_fields,
)
from gamin.protocol.watchman.query.file_row import Facts
from testkit.rows import FILE, LINK, NOW, FakeDisk, row

TIME = 1_700_000_000_123_456_789
FACTS = Facts(stat.S_IFREG | 0o644, 1, 2, 3, 4, 5, 6, TIME, TIME, TIME)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a.c"),
        ("exists", True),
        ("new", False),
        ("mode", 0o100644),
        ("ino", 1),
        ("dev", 2),
        ("nlink", 3),
        ("uid", 4),
        ("gid", 5),
        ("size", 6),
        ("type", "f"),
        ("mtime", 1_700_000_000),
        ("ctime_ms", 1_700_000_000_123),
        ("atime_us", 1_700_000_000_123_456),
        ("mtime_ns", TIME),
        ("mtime_f", pytest.approx(1_700_000_000.123, abs=0.001)),
        ("symlink_target", None),
        ("cclock", "c:1700000000:42:3:20"),
        ("oclock", "c:1700000000:42:3:30"),
        ("kind", "changed"),
        ("moved_from", None),
        ("is_dir", False),
    ],
)
def test_fields_of_a_file(field: str, value: object) -> None:
    seen = row(facts=FACTS, born_tick=20, changed_tick=30)
    assert render([seen], [field], NOW) == [value]


def test_the_target_of_a_link() -> None:
    disk = FakeDisk(LINK, target=b"a\xff")
    assert render([row(disk=disk)], ["symlink_target"], NOW) == ["a\udcff"]


def test_a_rename_says_where_from() -> None:
    moved = row(b"new", kind=Kind.MOVED, source=b"old\xff")
    assert render([moved], ["moved_from"], NOW) == ["old\udcff"]


def test_several_fields_make_objects() -> None:
    rows = [row(b"a", is_new=True), row(b"b", exists=False)]
    assert render(rows, ["name", "exists", "new"], NOW) == [
        {"name": "a", "exists": True, "new": True},
        {"name": "b", "exists": False, "new": False},
    ]


def test_no_field_makes_empty_objects() -> None:
    assert render([row()], [], NOW) == [{}]


def test_every_field_of_a_deleted_file_has_a_value() -> None:
    gone = row(exists=False)
    rendered = {field: render([gone], [field], NOW)[0] for field in FIELDS}
    empty = {field for field, value in rendered.items() if value is None}
    assert empty == {"symlink_target", "moved_from", "content.sha1hex"}


def test_a_file_is_probed_once_for_all_fields() -> None:
    disk = FakeDisk(FILE)
    render([row(disk=disk)], list(FIELDS), NOW)
    assert disk.probes == [b"a.c"]


def test_the_fields_of_an_event_do_not_look_at_the_disk() -> None:
    disk = FakeDisk(FILE)
    render([row(disk=disk)], ["name", "kind", "is_dir", "moved_from", "new"], NOW)
    assert disk.probes == []


def test_fields_that_are_known_are_accepted_once() -> None:
    assert check_fields(list(DEFAULT_FIELDS)) == DEFAULT_FIELDS
    assert check_fields(["name", "name"]) == ("name",)


@pytest.mark.parametrize("fields", [None, "name", [1], {}])
def test_invalid_lists_of_fields_are_refused(fields: object) -> None:
    with pytest.raises(BadQuery, match="field list must be an array of strings"):
        check_fields(fields)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(BadQuery, match="unknown field name 'foo'"):
        check_fields(["name", "foo"])
