"""The public names, and that they cost nothing until they are used."""

import ast
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
    assert typed == set(gamin.__all__)
    assert dir(gamin) == sorted(gamin.__all__)


def test_the_names_of_the_original_module_are_there() -> None:
    for name in fam.__all__:
        assert getattr(gamin, name) is getattr(fam, name)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'gamin' has no attribute 'nothing'"):
        _ = gamin.nothing  # type: ignore[attr-defined]


def test_errors_have_one_base() -> None:
    errors = [getattr(gamin, name) for name in gamin.__all__]
    errors = [e for e in errors if isinstance(e, type) and issubclass(e, Exception)]
    assert len(errors) > 10
    assert all(issubclass(error, gamin.GaminError) for error in errors)


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
