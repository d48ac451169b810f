"""Every module of the package has a unit test module of the same name."""

from pathlib import Path

from tests.conventions import exceptions
from tests.conventions.source import (
    READS_ALL_MODULES,
    SOURCE,
    UNIT_TESTS,
    functions,
    modules,
    name_of,
)

pytestmark = READS_ALL_MODULES


def mirrored(module: Path) -> Path:
    stem = module.stem.strip("_")
    return UNIT_TESTS / module.relative_to(SOURCE).with_name(f"test_{stem}.py")


def test_every_module_has_a_unit_test_module_of_the_mirrored_name() -> None:
    wanted = [
        mirrored(module)
        for module in modules()
        if module.name != "__init__.py"
        and name_of(module) not in exceptions.WITHOUT_TEST
    ]
    without_a_test = [
        test.relative_to(UNIT_TESTS)
        for test in wanted
        if not test.is_file()
        or not any(each.name.startswith("test_") for each in functions(test))
    ]
    assert wanted
    assert not without_a_test


def test_a_module_without_a_test_is_one_that_exists_and_has_none() -> None:
    names = {name_of(module): module for module in modules()}
    assert set(names) >= exceptions.WITHOUT_TEST
    for name in exceptions.WITHOUT_TEST:
        assert not mirrored(names[name]).exists(), f"{name} has a test: take it off"
