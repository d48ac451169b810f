"""docs/coming-from.md: what its right columns say can be written, and what the left
ones say of watchfiles is what that library takes."""

import ast
import inspect
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import watchfiles

import gamin
from gamin.cli.parser import Parser

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from.md").read_text()
ROWS = [
    [cell.strip() for cell in line.split(" | ")]
    for line in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE)
]
CODE = re.compile(r"`([^`]+)`")
LEFT = sorted({code for row in ROWS for code in CODE.findall(row[0])})
RIGHT = sorted({code for row in ROWS for code in CODE.findall(row[1])})


def keywords(call: ast.Call) -> dict[str, None]:
    return {keyword.arg: None for keyword in call.keywords if keyword.arg}


def is_call_of(code: str, *names: str) -> bool:
    return code.partition("(")[0] in names and code.endswith(")")


@pytest.mark.parametrize(
    "code", [c for c in RIGHT if is_call_of(c, "gamin.watch", "gamin.awatch")]
)
def test_a_call_has_arguments_that_exist(code: str) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    function = getattr(gamin, call.func.attr)
    inspect.signature(function).bind(*call.args, **keywords(call))


@pytest.mark.parametrize("code", [c for c in RIGHT if c.startswith("gamin ")])
def test_a_command_line_is_understood(code: str) -> None:
    _, command, *words = shlex.split(code)
    parser = Parser()
    import_module(f"gamin.cli.{command}").configure(parser)
    parser.parse(words)


@pytest.mark.parametrize("code", [c for c in RIGHT if c.startswith("Kind.")])
def test_a_kind_exists(code: str) -> None:
    assert code.removeprefix("Kind.") in gamin.Kind.__members__


@pytest.mark.parametrize("code", [c for c in RIGHT if c.startswith("event.")])
def test_a_field_of_an_event_exists(code: str) -> None:
    field, _, kind = code.removeprefix("event.").partition(" == ")
    assert field in gamin.Event._fields
    assert not kind or gamin.Kind(ast.literal_eval(kind))


@pytest.mark.parametrize("code", [c for c in LEFT if c.startswith("GAM")])
def test_a_name_of_the_original_module_exists(code: str) -> None:
    assert code.isupper() or hasattr(gamin, code)


@pytest.mark.parametrize(
    "code", [c for c in LEFT if is_call_of(c, "watch", "watchfiles.watch")]
)
def test_a_call_of_watchfiles_has_arguments_that_exist(code: str) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    inspect.signature(watchfiles.watch).bind(*call.args, **keywords(call))


def test_the_page_has_what_is_checked() -> None:
    assert len(LEFT) > 40
    assert len(RIGHT) > 40
