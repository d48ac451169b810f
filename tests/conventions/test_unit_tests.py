"""Every module of the package has a unit test module of the same name."""

from pathlib import Path

import pytest

from tests.conventions import exceptions
from tests.conventions.source import (
    MODULES,
    READS_ALL_MODULES,
    SOURCE,
    UNIT_TESTS,
    functions,
    name_of,
)

pytestmark = READS_ALL_MODULES


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.name != "__init__.py"], ids=name_of
)
def test_a_module_has_a_unit_test_module_of_the_mirrored_name(module: Path) -> None:
    if name_of(module) in exceptions.WITHOUT_TEST:
        return
    stem = module.stem.strip("_")
    mirrored = UNIT_TESTS / module.relative_to(SOURCE).with_name(f"test_{stem}.py")
    assert mirrored.is_file(), (
        f"{mirrored.relative_to(UNIT_TESTS.parents[1])} is missing"
    )
    assert any(function.name.startswith("test_") for function in functions(mirrored))


def test_a_module_without_a_test_is_one_that_exists_and_has_none() -> None:
    names = {name_of(module): module for module in MODULES}
    assert set(names) >= exceptions.WITHOUT_TEST
    for name in exceptions.WITHOUT_TEST:
        mirrored = UNIT_TESTS / Path(name).with_name(f"test_{Path(name).stem}.py")
        assert not mirrored.exists(), f"{name} has a test: take it off the list"
