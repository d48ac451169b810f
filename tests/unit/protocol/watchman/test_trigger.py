"""Definitions of triggers, in both forms, and what is wrong with bad ones."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.trigger import (
    NAME_PER_LINE,
    NOTHING,
    OutputFile,
    parse_trigger,
)
from testkit.nested import nested


def test_an_object_defines_everything() -> None:
    definition = {
        "name": "make",
        "command": ["make", "all"],
        "expression": ["suffix", "c"],
        "relative_root": "src",
        "append_files": True,
        "stdin": ["name", "size"],
        "max_files_stdin": 10,
        "stdout": ">out",
        "stderr": ">>log",
        "chdir": "build",
    }
    trigger = parse_trigger([definition])
    assert trigger.command == (b"make", b"all")
    assert trigger.query.fields == ("name", "size")
    assert trigger.query.relative_root == b"src"
    assert (trigger.stdin, trigger.max_files_stdin) == ("", 10)
    assert trigger.append_files
    assert trigger.stdout == OutputFile(b"out", is_appended=False)
    assert trigger.stderr == OutputFile(b"log", is_appended=True)
    assert trigger.chdir == b"build"
    assert trigger.definition == definition


def test_a_short_object_reads_nothing_and_writes_nowhere() -> None:
    trigger = parse_trigger([{"name": "t", "command": ["true"]}])
    assert trigger.stdin == NOTHING
    assert (trigger.stdout, trigger.stderr, trigger.max_files_stdin) == (None,) * 3
    assert not trigger.append_files
    assert trigger.query.expression is None


def test_names_can_come_one_per_line() -> None:
    wishes = {"name": "t", "command": ["cat"], "stdin": NAME_PER_LINE}
    assert parse_trigger([wishes]).query.fields == ("name",)


def test_the_older_form_gives_names_as_arguments_and_rows_as_json() -> None:
    trigger = parse_trigger(["t", "*.c", "-X", "x.c", "--", "cc", "-c"])
    assert trigger.definition == {
        "name": "t",
        "append_files": True,
        "stdin": ["name", "exists", "new", "size", "mode"],
        "expression": [
            "allof",
            ["not", ["anyof", ["match", "x.c", "wholename"]]],
            ["anyof", ["match", "*.c", "wholename"]],
        ],
        "command": ["cc", "-c"],
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "not enough arguments"),
        ([7], "invalid or missing name"),
        (["t", "*.c"], "no command was specified"),
        (["t", "*.c", "--"], "no command was specified"),
        (["t", 5, "--", "cc"], "rule @ position 3 is not a string value"),
        ([{"command": ["true"]}], "invalid or missing name"),
        ([{"name": "t"}], "invalid command array"),
        ([{"name": "t", "command": []}], "invalid command array"),
        ([{"name": "t", "command": ["a\0b"]}], "no file can be named"),
        ([{"name": "t", "command": "true"}], "invalid command array"),
        ([{"name": "t", "command": ["x"], "stdin": "names"}], "invalid stdin value"),
        ([{"name": "t", "command": ["x"], "stdin": 5}], "invalid value for stdin"),
        ([{"name": "t", "command": ["x"], "stdin": ["no"]}], "unknown field name"),
        ([{"name": "t", "command": ["x"], "max_files_stdin": -1}], "must be >= 0"),
        (
            [{"name": "t", "command": ["x"], "stdout": "out"}],
            "stdout: must be prefixed with either > or >>, got out",
        ),
        ([{"name": "t", "command": ["x"], "stderr": ">>"}], "name of a file"),
        ([{"name": "t", "command": ["x"], "append_files": 1}], "must be a boolean"),
        ([{"name": "t", "command": ["x"], "chdir": 1}], "must be a string"),
    ],
)
def test_a_wrong_definition_is_refused_with_the_reason(
    arguments: list[object], reason: str
) -> None:
    with pytest.raises(BadRequest, match=reason):
        parse_trigger(arguments)


VALUES = nested(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=3
)
MEMBERS = (
    *("name", "command", "stdin", "stdout", "stderr", "chdir", "append_files"),
    *("max_files_stdin", "expression", "relative_root"),
)


@given(
    st.lists(VALUES, max_size=4)
    | st.dictionaries(st.sampled_from(MEMBERS), VALUES).map(lambda each: [each])
)
def test_any_definition_is_read_or_refused(arguments: list[object]) -> None:
    with suppress(BadRequest):
        assert parse_trigger(arguments).command
