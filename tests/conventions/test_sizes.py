"""A module can be read whole, and a function fits a screen: in the package, its tests,
the test kit, the soak, the benchmark and the examples."""

import ast

from tests.conventions.source import ALL_MODULES, ROOT, functions

MAX_LINES = 400
"""Lines of a module."""

MAX_FUNCTION_LINES = 60
"""Lines of a function, without its docstring. That of a public function is a page of
the manual: it lists every argument and every error, and nobody reads it with the code.
"""


def test_no_module_has_more_than_four_hundred_lines() -> None:
    sizes = {
        module.relative_to(ROOT).as_posix(): len(module.read_text().splitlines())
        for module in ALL_MODULES
    }
    too_long = {name for name, size in sizes.items() if size > MAX_LINES}
    assert not too_long


def test_no_function_has_more_than_sixty_lines() -> None:
    sizes = {
        f"{module.relative_to(ROOT).as_posix()}:{function.name}": _lines(function)
        for module in ALL_MODULES
        for function in functions(module)
    }
    too_long = {name for name, size in sizes.items() if size > MAX_FUNCTION_LINES}
    assert not too_long


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = _span(function)
    if ast.get_docstring(function) is None:
        return whole
    return whole - _span(function.body[0])


def _span(node: ast.stmt) -> int:
    return 1 + (node.end_lineno or node.lineno) - node.lineno
