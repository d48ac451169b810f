"""A module can be read whole, and a function fits a screen: in the package, its tests,
the test kit, the soak, the benchmark and the examples."""

import ast
from pathlib import Path

import gamin
from tests.conventions.source import (
    READS_ALL_MODULES,
    ROOT,
    SOURCE,
    all_modules,
    functions,
)

pytestmark = READS_ALL_MODULES

MAX_LINES = 400
"""Lines of a module."""

MAX_FUNCTION_LINES = 60
"""Lines of a function with its docstring. The docstring of a public function does not
count: it is a page of the manual, which lists every argument and every error, and
nobody reads it with the code."""


def test_no_module_has_more_than_four_hundred_lines() -> None:
    sizes = {
        module.relative_to(ROOT).as_posix(): len(module.read_text().splitlines())
        for module in all_modules()
    }
    too_long = {name for name, size in sizes.items() if size > MAX_LINES}
    assert not too_long


def test_no_function_has_more_than_sixty_lines() -> None:
    sizes = {
        f"{module.relative_to(ROOT).as_posix()}:{function.name}": _lines(
            module, function
        )
        for module in all_modules()
        for function in functions(module)
    }
    too_long = {name for name, size in sizes.items() if size > MAX_FUNCTION_LINES}
    assert not too_long


def _lines(module: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    is_public = module.is_relative_to(SOURCE) and function.name in gamin.__all__
    if not is_public or ast.get_docstring(function) is None:
        return _span(function)
    return _span(function) - _span(function.body[0])


def _span(node: ast.stmt) -> int:
    return 1 + (node.end_lineno or node.lineno) - node.lineno
