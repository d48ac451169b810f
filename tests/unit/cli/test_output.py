"""How changes look, whatever is in a name."""

import io
import json
import os
import re

import pytest

from gamin.cli.output import (
    EventRecord,
    Record,
    Writer,
    coloured,
    json_record,
    line_record,
    raw,
    relative_to,
    wants_colour,
)
from gamin.cli.template import FIELDS, Template
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
        pytest.param("/\u202ea".encode(), r"/\u202ea", id="right-to-left override"),
        pytest.param("/\u2067a\u2069".encode(), r"/\u2067a\u2069", id="isolates"),
        pytest.param("/שלום".encode(), "/שלום", id="a right-to-left script"),
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


def test_a_template_knows_every_field() -> None:
    text = "|".join(f"{{{name}}}" for name in FIELDS if name != "time")
    shown = Template(text).record(printable)
    item = EventRecord(MOVED._replace(recovered=True), "c:1")
    assert shown(item) == "moved|/a/b|/a/c|b|/a|directory|c:1|recovered"
    assert shown(EventRecord(CREATED, None)) == "created|/a/b||b|/a|file||"


def test_the_time_is_iso_8601() -> None:
    time = Template("{time}").record(printable)(EventRecord(CREATED, None))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", time)


def test_doubled_braces_are_braces_and_other_text_stays() -> None:
    record = Template("{{{kind}}}\t100 %").record(printable)
    assert record(EventRecord(CREATED, None)) == "{created}\t100 %"


def lines_of(template: Template, event: Event, watched: str = "/a") -> list[str]:
    stream = io.BytesIO()
    record = template.record(printable, [watched], "%Y")
    Writer(stream, record, splits_moves=template.splits_moves).write([event], None)
    return stream.getvalue().decode().splitlines()


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        pytest.param(CREATED, ["CREATE|/a/|b"], id="created"),
        pytest.param(CREATED._replace(is_dir=True), ["CREATE,ISDIR|/a/|b"], id="a dir"),
        pytest.param(Event(Kind.CHANGED, "/a"), ["MODIFY|/a|"], id="a watched file"),
        pytest.param(Event(Kind.DELETED, "/b"), ["DELETE|/|b"], id="below the root"),
        pytest.param(
            MOVED,
            ["MOVED_FROM,ISDIR|/a/|b", "MOVED_TO,ISDIR|/a/|c"],
            id="a move is two records",
        ),
    ],
)
def test_the_letters_are_those_of_inotifywait(event: Event, lines: list[str]) -> None:
    assert lines_of(Template("%e|%w|%f"), event) == lines


def test_letters_for_time_newline_and_nul() -> None:
    assert re.fullmatch(r"\d{4}%", lines_of(Template("%T%%"), CREATED)[0])
    assert lines_of(Template("%f%nx%0y"), CREATED) == ["b", "x\0y"]


def test_a_template_that_has_the_new_path_keeps_a_move_whole() -> None:
    assert lines_of(Template("%f {dest}"), MOVED) == ["b /a/c"]


def test_an_unknown_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="no letter '%q'"):
        Template("%q")


def test_only_the_kind_is_coloured() -> None:
    record = coloured(line_record(printable))
    assert record(EventRecord(CREATED, None)) == "\x1b[32mcreated\x1b[0m\t/a/b"
    assert "\x1b" not in record(EventRecord(MOVED, None)).split("\t", 1)[1]


@pytest.mark.parametrize(
    ("when", "is_terminal", "environ", "wanted"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {}, False),
    ],
)
def test_colours_are_for_terminals_and_can_be_refused(
    when: str, is_terminal: bool, environ: dict[str, str], wanted: bool
) -> None:
    stream = io.BytesIO()
    stream.isatty = lambda: is_terminal  # type: ignore[method-assign]  # replaced
    assert wants_colour(when, stream, environ) is wanted


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a/b", "b"),
        ("/a/b/c", "b/c"),
        ("/a", "."),
        ("/ab", "../ab"),
        ("/a/-rf", "./-rf"),
    ],
)
def test_a_relative_path_leads_to_the_same_file(path: str, shown: str) -> None:
    assert relative_to("/a")(Event(Kind.MOVED, path, path))[1:3] == (shown, shown)


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
