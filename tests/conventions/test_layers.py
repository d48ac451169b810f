"""Which part may know which other, as ARCHITECTURE.md says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "gamin"
MODULES = sorted(SOURCE.rglob("*.py"))

SHARED = {"errors", "events", "paths"}
MAY_IMPORT = {
    "protocol": SHARED | {"patterns"},
    "config": SHARED | {"patterns"},
    "patterns": SHARED,
    "core": SHARED | {"config", "patterns"},
    "engine": SHARED | {"backends", "core"},
    "system": SHARED,
    "backends": SHARED | {"system"},
    "daemon": SHARED
    | {"config", "patterns", "protocol", "core", "engine", "system", "backends"},
    "client": SHARED | {"protocol", "system"},
    "compat": SHARED | {"client", "protocol"},
    "cli": SHARED | {"client", "protocol", "config", "system"},
}
PURE = {"protocol", "core", "engine", "patterns"}
IO = {
    "asyncio",
    "ctypes",
    "fcntl",
    "io",
    "logging",
    "os",
    "pathlib",
    "select",
    "signal",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_engine_knows_the_interface_of_backends_and_no_backend() -> None:
    for module in (SOURCE / "engine").glob("*.py"):
        backends = {n for n in imported(module) if n.startswith("gamin.backends")}
        assert all(name.startswith("gamin.backends.base.") for name in backends)
    assert not {n.split(".")[0] for n in imported(SOURCE / "backends/base.py")} & IO


def layer_of(module: Path) -> str:
    inside = module.relative_to(SOURCE).parts
    return inside[0] if len(inside) > 1 else "ground"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(SOURCE)))
def test_a_layer_imports_only_what_it_may(module: Path) -> None:
    layer = layer_of(module)
    if layer == "ground":
        return  # judged below
    ours = {
        name.split(".")[1] for name in imported(module) if name.startswith("gamin.")
    }
    allowed = MAY_IMPORT[layer] | {layer, "__version__"}
    assert ours <= allowed, f"{layer}/ may not import {sorted(ours - allowed)}"


@pytest.mark.parametrize("name", sorted(SHARED))
def test_the_shared_words_know_nothing_that_stands_on_them(name: str) -> None:
    module = SOURCE / f"{name}.py"
    ours = {
        name.split(".")[1] for name in imported(module) if name.startswith("gamin.")
    }
    assert ours <= SHARED


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES if layer_of(module) in PURE],
    ids=lambda m: str(m.relative_to(SOURCE)),
)
def test_a_pure_layer_does_no_io(module: Path) -> None:
    assert not {name.split(".")[0] for name in imported(module)} & IO


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(SOURCE)))
def test_no_module_grows_past_four_hundred_lines(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 400


def test_every_folder_of_the_source_has_its_layer() -> None:
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir()} - {
        "__pycache__"
    }
    assert folders == set(MAY_IMPORT)


def test_the_environment_is_read_only_where_programs_start() -> None:
    """Everything else gets it: `system.address` and the launch take the mapping."""
    readers = {
        str(module.relative_to(SOURCE))
        for module in MODULES
        if "os.environ" in module.read_text() or "getenv" in module.read_text()
    }
    assert readers <= {
        "cli/control.py",
        "cli/process_group.py",
        "cli/watch.py",
        "client/connect.py",
        "client/launch.py",
        "config/loader.py",
        "daemon/process/main.py",
        "system/debug_log.py",
    }
