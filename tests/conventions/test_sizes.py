"""A module can be read whole, and a function fits a screen."""

from tests.conventions import exceptions
from tests.conventions.source import MODULES, ROOT, functions

MAX_LINES = 400
"""Lines of a module."""

MAX_FUNCTION_LINES = 60
"""Lines of a function, with its docstring."""


def test_no_module_has_more_than_four_hundred_lines() -> None:
    sizes = {
        module.relative_to(ROOT).as_posix(): len(module.read_text().splitlines())
        for module in MODULES
    }
    too_long = {name for name, size in sizes.items() if size > MAX_LINES}
    assert not too_long


def test_no_function_has_more_than_sixty_lines() -> None:
    sizes = {
        f"{module.relative_to(ROOT).as_posix()}:{function.name}": 1
        + (function.end_lineno or 0)
        - function.lineno
        for module in MODULES
        for function in functions(module)
    }
    too_long = {name for name, size in sizes.items() if size > MAX_FUNCTION_LINES}
    assert too_long <= exceptions.LONG_FUNCTIONS, too_long
