"""The public names, and that they cost nothing until they are used."""

import ast
import builtins
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gamin
from gamin.compat import fam

MODULE = ast.parse(Path(gamin.__file__).read_text())


def imported_for_types() -> Iterator[str]:
    for statement in ast.walk(MODULE):
        if isinstance(statement, ast.ImportFrom) and statement.module != "typing":
            yield from (alias.name for alias in statement.names)


@pytest.mark.parametrize("name", gamin.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(gamin, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    typed = {*imported_for_types(), "__version__"} - {"import_module"}
    assert typed == {*gamin.__all__, *fam.__all__}
    assert dir(gamin) == sorted(gamin.__all__)


def test_the_names_of_the_original_module_are_reachable_and_out_of_sight() -> None:
    assert len(fam.__all__) == 22
    for name in fam.__all__:
        assert getattr(gamin, name) is getattr(fam, name)
        assert name not in gamin.__all__
        assert name not in dir(gamin)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'gamin' has no attribute 'nothing'"):
        _ = gamin.nothing  # type: ignore[attr-defined]  # on purpose


def public(kind: type) -> dict[str, type]:
    found = {name: getattr(gamin, name) for name in gamin.__all__}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, type) and issubclass(value, kind)
    }


def test_errors_have_one_base() -> None:
    errors = public(Exception)
    assert len(errors) > 8
    assert all(issubclass(error, gamin.GaminError) for error in errors.values())


@pytest.mark.parametrize(
    "name",
    [
        "InvalidSetting",
        "ServerNotStarted",
        "ServerUnresponsive",
        "ServerUnstable",
        "UnsafeSocketPath",
    ],
)
def test_errors_that_mean_no_service_have_one_base(name: str) -> None:
    assert issubclass(getattr(gamin, name), gamin.ServerError)


def documented() -> Iterator[tuple[str, str]]:
    """Every public function and class with its public methods: name and docstring."""
    for name in ("watch", "awatch", "Watch", "AsyncWatch"):
        value = getattr(gamin, name)
        yield name, inspect.getdoc(value) or ""
        for member, each in inspect.getmembers(value):
            if isinstance(value, type) and not member.startswith("_"):
                yield f"{name}.{member}", inspect.getdoc(each) or ""


def raised(text: str) -> set[str]:
    """What the "Raises" sections of a docstring name."""
    sections = re.findall(r"[Rr]aises:\n\n?((?:(?:  |\* ).*\n?)+)", text)
    return set(
        re.findall(
            r"\b[A-Z]\w*(?:Error|Path|Setting)\b|\b(?:Watch|Server)[A-Z]\w+",
            "".join(sections),
        )
    )


def test_what_docstrings_say_is_raised_is_exported_and_nothing_else_is() -> None:
    named = set().union(*(raised(text) for _, text in documented()))
    built_in = {name for name in named if hasattr(builtins, name)}
    assert built_in == {"ValueError", "OSError", "RuntimeError"}
    assert named - built_in == set(public(Exception)) - {"GaminError"}


@pytest.mark.parametrize(("name", "text"), list(documented()))
def test_a_public_docstring_is_understood_alone(name: str, text: str) -> None:
    assert text, f"{name} has none"
    assert not re.search(r"`_|\b_[a-z]\w+|connect_watchman|Watching\b", text)
    if name in ("watch", "awatch", "Watch.next", "AsyncWatch.next"):
        for section in ("Args:", "Returns:", "Raises:", "Example:"):
            assert section in text


def loaded_after(statement: str) -> set[str]:
    show = f"{statement}; import sys; print(*sys.modules)"
    command = [sys.executable, "-I", "-c", show]
    return set(subprocess.check_output(command, text=True).split())


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = loaded_after("import gamin")
    assert {name for name in loaded if name.startswith("gamin.")} == set()
    assert not loaded & {"asyncio", "socket", "msgspec", "typing_extensions"}


def test_watching_in_a_blocking_way_loads_no_event_loop() -> None:
    assert "asyncio" not in loaded_after("from gamin import watch")
