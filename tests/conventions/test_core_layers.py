"""The packages of `core` import each other in one direction."""

import ast
from pathlib import Path

import pytest

from tests.conventions.source import READS_ALL_MODULES, parsed

pytestmark = READS_ALL_MODULES

CORE = Path(__file__).parents[2] / "src" / "gamin" / "core"
ORDER = ("model", "coverage", "resolve", "deliver", "throttle", "apply", "monitor")
"""A package may import those before it. ARCHITECTURE.md says why in this order."""
MODULES = sorted(path for path in CORE.rglob("*.py") if path.name != "__init__.py")


def package_of(module: Path) -> str:
    return module.relative_to(CORE).parts[0].removesuffix(".py")


def imported_packages(module: Path) -> set[str]:
    """The packages of `core` that the module imports, `effects` included."""
    found: set[str] = set()
    for node in ast.walk(parsed(module)):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {n.split(".")[2] for n in names if n.startswith("gamin.core.")}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(CORE)))
def test_a_package_of_core_imports_only_those_before_it(module: Path) -> None:
    package = package_of(module)
    if package == "effects":
        allowed = {"model"}
    else:
        allowed = {*ORDER[: ORDER.index(package) + 1]} | {"effects"}
    if package == "model":
        allowed.discard("effects")
    wrong = imported_packages(module) - allowed
    assert not wrong, f"core/{package} may not import {sorted(wrong)}"


def test_every_package_of_core_has_its_place_in_the_order() -> None:
    assert {package_of(module) for module in MODULES} == {*ORDER, "effects"}
