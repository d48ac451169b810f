"""docs/python.md: every program on it prints what the page says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gamin
from testkit.running import prints
from testkit.watches import serving

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(autouse=True)
def own_server(session: str) -> Iterator[None]:
    with serving(session):
        yield


def test_every_program_says_what_it_prints() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == PAGE.count("```text") == 12


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_prints_what_the_page_says(number: int, tmp_path: Path) -> None:
    program, expected = PROGRAMS[number]
    if "import trio" in program:
        pytest.importorskip("trio")
    prints(program, expected, tmp_path)


def test_the_errors_listed_are_those_that_are_public() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.split("## Errors")[1], re.MULTILINE)
    public = [getattr(gamin, name) for name in gamin.__all__]
    errors = {
        each.__name__
        for each in public
        if isinstance(each, type) and issubclass(each, Exception)
    }
    assert set(listed) == errors


def test_every_public_function_and_method_that_the_page_calls_exists() -> None:
    for name in re.findall(r"`?gamin\.(\w+)", PAGE):
        assert hasattr(gamin, name) or name == "compat"
