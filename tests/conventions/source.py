"""The source tree as the convention tests see it: modules, imports, functions.

Which of them are allowed is decided in the tests.
"""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "gamin"
UNIT_TESTS = ROOT / "tests" / "unit"

TREES = ("src", "tests", "testkit", "soak", "fuzz", "bench", "examples")


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the package. Each process that collects the tests imports this
    one, so it looks for them when a test asks."""
    return tuple(below(SOURCE))


@cache
def all_modules() -> tuple[Path, ...]:
    """Every Python file that people maintain."""
    return tuple(module for tree in TREES for module in below(ROOT / tree))


def below(folder: Path) -> list[Path]:
    """The Python files below a folder, in order."""
    return sorted(
        Path(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith(".py")
    )


def name_of(module: Path) -> str:
    """The path below `src/gamin`, as the exception lists write it."""
    return module.relative_to(SOURCE).as_posix()


@cache
def parsed(module: Path) -> ast.Module:
    """The syntax tree of a module of the package. It is kept, as several tests look at
    each module; those of the tests would take too much memory."""
    return ast.parse(module.read_text())


READS_ALL_MODULES = pytest.mark.xdist_group("source")
"""For tests that parse the whole package: one process does so, once."""


def imported(module: Path) -> Iterator[str]:
    """Everything that a module imports, wherever in the file, as dotted names."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(module: Path) -> set[str]:
    """The modules of this package that it imports, as paths below `src/gamin`."""
    found = (
        _module_of(name.split(".")[1:]) for name in imported(module) if _ours(name)
    )
    return {name for name in found if name}


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Those of the module, its classes and its functions; expressions have none."""
    left: list[ast.AST] = [ast.parse(module.read_text())]
    while left:
        node = left.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, None)
            if isinstance(inner, list):
                left += inner


def _ours(name: str) -> bool:
    return name.startswith("gamin.")


def _module_of(parts: list[str]) -> str:
    """`core.monitor.Monitor` is a name in `core/monitor.py`; "" for the package."""
    while parts:
        path = SOURCE.joinpath(*parts)
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py").relative_to(SOURCE).as_posix()
        if path.is_dir():
            return path.relative_to(SOURCE).as_posix() + "/__init__.py"
        parts = parts[:-1]
    return ""
