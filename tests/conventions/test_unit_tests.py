"""Every module of the package has a unit test module of the same name."""

from pathlib import Path

import pytest

from tests.conventions import exceptions
from tests.conventions.source import MODULES, SOURCE, UNIT_TESTS, functions, name_of


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.name != "__init__.py"], ids=name_of
)
def test_a_module_has_a_unit_test_module_of_the_mirrored_name(module: Path) -> None:
    if not name_of(module).startswith(exceptions.WITH_TESTS):
        return
    if name_of(module) in exceptions.WITHOUT_TEST:
        return
    stem = module.stem.strip("_")
    mirrored = UNIT_TESTS / module.relative_to(SOURCE).with_name(f"test_{stem}.py")
    assert mirrored.is_file(), (
        f"{mirrored.relative_to(UNIT_TESTS.parents[1])} is missing"
    )
    assert any(function.name.startswith("test_") for function in functions(mirrored))
