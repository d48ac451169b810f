"""Named tuples of the hot paths are made by one constructor, beside the class.

`tuple.__new__` takes half of the class's time or less, and checks nothing. The
constructor's annotation is what mypy checks its calls by; here it is compared with the
fields of the class.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conventions.source import (
    READS_ALL_MODULES,
    modules,
    name_of,
    parsed,
)

pytestmark = READS_ALL_MODULES


class Constructor(NamedTuple):
    module: Path
    name: str
    made: str
    """The class."""
    taken: list[str]
    """The types of the fields that it takes."""

    def __str__(self) -> str:
        return f"{name_of(self.module)}:{self.name}"


def constructors() -> Iterator[Constructor]:
    for module in modules():
        if "tuple.__new__" not in module.read_text():
            continue
        for node in parsed(module).body:
            if not (
                isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call)
            ):
                continue
            if "tuple.__new__" not in ast.unparse(node.value):
                continue
            kind, made = node.value.args
            assert isinstance(kind, ast.Subscript), "Callable[[tuple[...]], T]"
            assert isinstance(kind.slice, ast.Tuple)
            parameters, result = kind.slice.elts
            assert isinstance(parameters, ast.List)
            (fields,) = parameters.elts
            assert isinstance(fields, ast.Subscript)
            assert isinstance(fields.slice, ast.Tuple)
            name = ast.unparse(result)
            assert ast.unparse(made) == f"partial(tuple.__new__, {name})"
            taken = [ast.unparse(each) for each in fields.slice.elts]
            yield Constructor(module, ast.unparse(node.target), name, taken)


def fields_of(constructor: Constructor) -> list[str]:
    """The types of the fields of the class, which is in the same module."""
    for node in parsed(constructor.module).body:
        if isinstance(node, ast.ClassDef) and node.name == constructor.made:
            return [
                ast.unparse(each.annotation)
                for each in node.body
                if isinstance(each, ast.AnnAssign)
            ]
    raise AssertionError(f"{constructor} is not beside its class")


def test_a_fast_constructor_takes_the_fields_of_its_class() -> None:
    taken = {str(each): each.taken for each in constructors()}
    assert taken
    assert taken == {str(each): fields_of(each) for each in constructors()}


def test_only_fast_constructors_go_round_the_class() -> None:
    allowed = Counter(each.module for each in constructors())
    uses = {}
    for module in modules():
        if "tuple.__new__" not in module.read_text():
            continue
        count = sum(
            isinstance(node, ast.Attribute)
            and node.attr == "__new__"
            and ast.unparse(node.value) == "tuple"
            for node in ast.walk(parsed(module))
        )
        uses[name_of(module)] = count - allowed[module]
    assert not {name for name, count in uses.items() if count}
