"""The parts of a subscription change only by their own methods, called by the owner."""

import ast
import inspect
from functools import cache
from pathlib import Path

import pytest

from gamin.core.model.subscription import Progress, Resolution, Target
from tests.conventions.source import READS_ALL_MODULES, below, parsed

pytestmark = READS_ALL_MODULES

SOURCE = Path(__file__).parents[2] / "src" / "gamin"
HOME = SOURCE / "core/model/subscription.py"
PARTS = {"request", "target", "resolution", "progress"}
CALLERS: dict[type, set[str]] = {
    Target: {"core/coverage/need.py"},
    Resolution: {"core/resolve/path_walk.py"},
    Progress: {
        # the scans that a subscription waits for
        "core/coverage/need.py",
        "core/apply/fast_scan.py",
        # what was announced to subscribers
        "core/apply/content.py",
        "core/apply/ignore_change.py",
        "core/apply/target_change.py",
        "core/deliver/catch_up.py",
    },
}
"""The modules that may call a method which changes the part."""


@cache
def modules() -> tuple[Path, ...]:
    folders = (SOURCE / folder for folder in ("core", "engine", "daemon"))
    return tuple(path for folder in folders for path in below(folder) if path != HOME)


def part_of(expression: ast.expr) -> str:
    """The part that an expression like `subscription.target` or `target` denotes."""
    if isinstance(expression, ast.Attribute):
        return expression.attr if expression.attr in PARTS else ""
    if isinstance(expression, ast.Name) and expression.id in {*PARTS, "subscription"}:
        return expression.id
    return ""


def transitions(part: type) -> set[str]:
    methods = inspect.getmembers(part, inspect.isroutine)
    return {name for name, _ in methods if not name.startswith("_")}


def test_no_module_assigns_a_part_or_its_attributes() -> None:
    assigned = [
        f"{module.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)}"
        for module in modules()
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and part_of(node.value)
    ]
    assert not assigned


@pytest.mark.parametrize("part", CALLERS, ids=lambda p: p.__name__)
def test_only_the_owners_call_the_methods_that_change_a_part(part: type) -> None:
    name = part.__name__.lower()
    callers = set()
    for module in modules():
        for node in ast.walk(parsed(module)):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            if (
                isinstance(function, ast.Attribute)
                and part_of(function.value) == name
                and function.attr in transitions(part)
            ):
                callers.add(str(module.relative_to(SOURCE)))
    assert callers == CALLERS[part]
