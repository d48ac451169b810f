"""Every public name has a type that all type checkers agree on, as a package with
`py.typed` owes its users.

`make verify-types` asks pyright, which takes half a minute and the network. This finds
the causes from the syntax alone: a name that is assigned more than once, is a slot, or
gets a value of which only inference knows the type.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.conventions.source import READS_ALL_MODULES, modules, name_of, parsed

pytestmark = READS_ALL_MODULES


def undeclared(tree: ast.Module) -> Iterator[str]:
    """The public variables and attributes that need a declared type and have none."""
    for name, values in _variables(tree.body).items():
        # A name in capitals is a constant by custom, to type checkers too.
        if not name.isupper() and not all(map(_is_clear, values)):
            yield name
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and _is_public(node.name):
            for name in _attributes(node):
                yield f"{node.name}.{name}"


def _variables(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for each in body:
        if isinstance(each, ast.Assign):
            for target in each.targets:
                if isinstance(target, ast.Name) and _is_public(target.id):
                    found.setdefault(target.id, []).append(each.value)
    return found


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    """What methods assign to `self`, unless the class or a method declares it."""
    slots = _slots(node)
    declared = {
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    assigned: dict[str, list[ast.expr | None]] = {}
    for each in ast.walk(node):
        match each:
            case ast.AnnAssign(target=ast.Attribute(attr=name)):
                declared.add(name)
            case ast.AugAssign(target=ast.Attribute() as changed):
                if _is_own(changed):
                    assigned.setdefault(changed.attr, []).append(None)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    is_one = isinstance(target, ast.Attribute)
                    for part in ast.walk(target):
                        if isinstance(part, ast.Attribute) and _is_own(part):
                            of = value if is_one else None
                            assigned.setdefault(part.attr, []).append(of)
    for name, values in assigned.items():
        is_clear = name not in slots and len(values) == 1 and _is_clear(values[0])
        if _is_public(name) and name not in declared and not is_clear:
            yield name


def _slots(node: ast.ClassDef) -> set[str]:
    for each in node.body:
        match each:
            case ast.Assign(targets=[ast.Name(id="__slots__")], value=value):
                return set(ast.literal_eval(value))
    return set()


def _is_own(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id == "self"


def _is_clear(value: ast.expr | None) -> bool:
    """Whether the type is written down elsewhere: a parameter, a literal, a type."""
    match value:
        case ast.Constant() | ast.Name() | ast.Attribute() | ast.Subscript():
            return True
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_clear(left) and _is_clear(right)
        case ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec")):
            return True
        case _:
            return False


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def test_every_public_name_has_a_declared_type() -> None:
    found = {name_of(module): list(undeclared(parsed(module))) for module in modules()}
    assert {module: names for module, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("a = make()", ["a"], id="the result of a call"),
        pytest.param("a: int = make()", [], id="a declared variable"),
        pytest.param("A = make()\n_a = make()", [], id="constant and private"),
        pytest.param("self.a = a", [], id="a parameter"),
        pytest.param("self.a = make()", ["C.a"], id="an attribute"),
        pytest.param("self.a: int = make()", [], id="a declared attribute"),
        pytest.param("self.a = 0; self.a += 1", ["C.a"], id="assigned twice"),
        pytest.param("self.a, self.b = a", ["C.a", "C.b"], id="several at once"),
        pytest.param("'slot'; self.s = a", ["C.s"], id="a slot"),
    ],
)
def test_a_missing_declaration_is_found(text: str, found: list[str]) -> None:
    if "self" in text:
        text = f"class C:\n __slots__ = ('s',)\n def __init__(self, a): {text}"
    assert list(undeclared(ast.parse(text))) == found
