"""The packages of `core` import each other in one direction."""

import ast
from pathlib import Path

from tests.conventions.source import READS_ALL_MODULES, below, parsed

pytestmark = READS_ALL_MODULES

CORE = Path(__file__).parents[2] / "src" / "gamin" / "core"
ORDER = ("model", "coverage", "resolve", "deliver", "throttle", "apply", "monitor")
"""A package may import those before it. ARCHITECTURE.md says why in this order."""


def modules() -> list[Path]:
    return [path for path in below(CORE) if path.name != "__init__.py"]


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


def allowed_for(package: str) -> set[str]:
    if package == "effects":
        return {"model"}
    before = {*ORDER[: ORDER.index(package) + 1]}
    return before if package == "model" else before | {"effects"}


def test_a_package_of_core_imports_only_those_before_it() -> None:
    wrong = {
        str(module.relative_to(CORE)): sorted(wrong)
        for module in modules()
        if (wrong := imported_packages(module) - allowed_for(package_of(module)))
    }
    assert not wrong, "may not be imported there"


def test_every_package_of_core_has_its_place_in_the_order() -> None:
    assert {package_of(module) for module in modules()} == {*ORDER, "effects"}
