"""Templates of `gamin watch --format`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.output import EventRecord, raw
from gamin.cli.template import FIELDS, LETTERS, Template
from gamin.events import Event, Kind
from gamin.paths import printable

CREATED = EventRecord(Event(Kind.CREATED, "/a/b", is_dir=True), "c:1")
MOVED = EventRecord(Event(Kind.MOVED, "/a/b", "/c/d", recovered=True), None)


def shown(text: str, item: EventRecord = CREATED, *watched: str) -> str:
    return Template(text).record(raw, watched)(item)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{kind} {path}", "created /a/b"),
        ("{dir}|{name}|{type}|{clock}", "/a|b|directory|c:1"),
        ("{dest}{recovered}", ""),
        ("{{}} %%", "{} %"),
        ("%w%f", "/a/b"),
        ("%e", "CREATE,ISDIR"),
        ("%f%0%n", "b\0\n"),
        ("", ""),
    ],
)
def test_a_template_is_filled_in(text: str, result: str) -> None:
    assert shown(text) == result


def test_a_move_has_a_destination_and_may_be_recovered() -> None:
    assert shown("{path}>{dest} {recovered}{clock}", MOVED) == "/a/b>/c/d recovered"


def test_letters_split_a_move_unless_the_destination_is_shown_too() -> None:
    assert Template("%e %w%f").splits_moves
    assert not Template("%e {dest}").splits_moves
    assert not Template("{path}").splits_moves


def test_a_watched_file_is_its_own_place() -> None:
    assert shown("%w|%f", CREATED, "/a/b") == "/a/b|"
    assert shown("%w|%f", CREATED, "/a") == "/a/|b"


def test_the_time_is_in_the_format_that_is_asked_for() -> None:
    year = Template("%T").record(raw, time_format="%Y")(CREATED)
    assert re.fullmatch(r"\d{4}", year)
    assert re.fullmatch(r"\d{4}-.*T.*[+-]\d\d:\d\d", shown("{time}"))


def test_what_comes_from_names_is_escaped_and_the_template_itself_is_not() -> None:
    item = EventRecord(Event(Kind.CREATED, "/a\nb"), None)
    assert Template("%n{path}").record(printable)(item) == "\n/a\\nb"


@pytest.mark.parametrize(
    "text", ["{nothing}", "{}", "{path!r}", "{path:>9}", "%x", "{", "}", "{0}"]
)
def test_a_template_that_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - some texts are Python's own
        Template(text)


def test_an_unknown_name_is_answered_by_the_known_ones() -> None:
    with pytest.raises(ValueError, match=f"there are {', '.join(FIELDS)}"):
        Template("{nothing}")
    with pytest.raises(ValueError, match="there are %w"):
        Template("%x")


@given(st.text("{}%wfeT0naz!:"))
def test_any_text_is_a_template_or_an_error(text: str) -> None:
    try:
        template = Template(text)
    except ValueError:
        return
    assert isinstance(template.record(raw)(CREATED), str)
    assert set(re.findall("%([A-Za-z0-9])", text.replace("%%", ""))) <= set(LETTERS)
