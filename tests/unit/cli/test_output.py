"""How changes look, whatever is in a name."""

import io
import json
import os
import re

import pytest

from gamin.cli.output import (
    FIELDS,
    EventRecord,
    Record,
    Template,
    Writer,
    json_record,
    line_record,
    raw,
)
from gamin.events import Event, Kind
from gamin.paths import printable

CREATED = Event(Kind.CREATED, "/a/b")
MOVED = Event(Kind.MOVED, "/a/b", "/a/c", is_dir=True)

NAMES = pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param(b"/new\nline", r"/new\nline", id="a newline"),
        pytest.param(b"/a\ttab", r"/a\ttab", id="a tab, which separates"),
        pytest.param(b"/\x1b[2J", r"/\x1b[2J", id="an escape sequence"),
        pytest.param(b"/\xc2\x9b2J", r"/\x9b2J", id="an escape sequence of one byte"),
        pytest.param(b"/\x7f", r"/\x7f", id="delete"),
        pytest.param(b"/caf\xe9", r"/caf\udce9", id="not UTF-8"),
        pytest.param("/\u2028".encode(), r"/\u2028", id="a line separator"),
        pytest.param("/café ✓".encode(), "/café ✓", id="nothing to escape"),
    ],
)


def written(record: Record, event: Event, end: str = "\n") -> bytes:
    stream = io.BytesIO()
    Writer(stream, record, end).write([event], "clock")
    return stream.getvalue()


@NAMES
def test_a_line_shows_a_name_without_acting_on_the_terminal(
    name: bytes, shown: str
) -> None:
    event = Event(Kind.CREATED, os.fsdecode(name))
    line = written(line_record(printable), event)
    assert line == f"created\t{shown}\n".encode()


@NAMES
def test_a_record_that_ends_in_nul_has_the_name_byte_for_byte(
    name: bytes, shown: str
) -> None:
    event = Event(Kind.MOVED, os.fsdecode(name), os.fsdecode(name) + "/x")
    line = written(line_record(raw), event, end="\0")
    assert line == b"moved\t" + name + b"\t" + name + b"/x\0"


@NAMES
def test_json_is_one_line_of_ascii_that_gives_the_name_back(
    name: bytes, shown: str
) -> None:
    line = written(json_record, Event(Kind.CREATED, os.fsdecode(name)))
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert os.fsencode(json.loads(line)["path"]) == name


@NAMES
def test_a_template_escapes_names(name: bytes, shown: str) -> None:
    record = Template("<{path}>").record(printable)
    event = Event(Kind.CREATED, os.fsdecode(name))
    assert written(record, event) == f"<{shown}>\n".encode()


@NAMES
def test_a_template_with_nul_ends_does_not_escape(name: bytes, shown: str) -> None:
    record = Template("<{path}>").record(raw)
    event = Event(Kind.CREATED, os.fsdecode(name))
    assert written(record, event, end="\0") == b"<" + name + b">\0"


@pytest.mark.parametrize(
    ("event", "line"),
    [
        pytest.param(CREATED, "created\t/a/b", id="a kind and a path"),
        pytest.param(MOVED, "moved\t/a/b\t/a/c", id="a move with both paths"),
    ],
)
def test_a_line_has_tabs_between_its_parts(event: Event, line: str) -> None:
    assert line_record(printable)(EventRecord(event, None)) == line


@pytest.mark.parametrize(
    ("event", "members"),
    [
        pytest.param(
            CREATED,
            {"kind": "created", "path": "/a/b", "is_dir": False, "clock": "c:1"},
            id="what every object has",
        ),
        pytest.param(
            MOVED,
            {
                "kind": "moved",
                "path": "/a/b",
                "dest": "/a/c",
                "is_dir": True,
                "clock": "c:1",
            },
            id="a move has a destination",
        ),
        pytest.param(
            CREATED._replace(recovered=True),
            {
                "kind": "created",
                "path": "/a/b",
                "is_dir": False,
                "clock": "c:1",
                "recovered": True,
            },
            id="a recovery is said",
        ),
    ],
)
def test_a_json_object_has_only_the_members_that_apply(
    event: Event, members: dict[str, object]
) -> None:
    assert json.loads(json_record(EventRecord(event, "c:1"))) == members


def test_a_template_knows_every_field_that_is_documented() -> None:
    text = "|".join(f"{{{name}}}" for name in FIELDS if name != "time")
    shown = Template(text).record(printable)
    told = EventRecord(MOVED._replace(recovered=True), "c:1")
    assert shown(told) == "moved|/a/b|/a/c|b|/a|directory|c:1|recovered"
    assert shown(EventRecord(CREATED, None)) == "created|/a/b||b|/a|file||"


def test_the_time_is_iso_8601() -> None:
    time = Template("{time}").record(printable)(EventRecord(CREATED, None))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", time)


def test_doubled_braces_are_braces_and_other_text_stays() -> None:
    record = Template("{{{kind}}}\t100 %").record(printable)
    assert record(EventRecord(CREATED, None)) == "{created}\t100 %"


@pytest.mark.parametrize(
    "text", ["{size}", "{}", "{0}", "{path!r}", "{path:>9}", "{path.x}", "{", "}"]
)
def test_anything_but_a_field_in_braces_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Template(text)


def test_a_batch_is_one_write_and_is_flushed() -> None:
    calls: list[bytes] = []

    class Stream(io.BytesIO):
        def write(self, data: object) -> int:
            calls.append(b"write")
            return 0

        def flush(self) -> None:
            calls.append(b"flush")

    stream = Stream()
    Writer(stream, line_record(printable)).write([CREATED, MOVED], None)
    assert calls == [b"write", b"flush"]
