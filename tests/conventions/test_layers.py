"""Which folder may import which other one, and which folders do no I/O.

The rules are strict: a folder that is not named here may not be imported, and a new
folder needs a rule of its own.
"""

import ast
from pathlib import Path

import pytest

from tests.conventions.source import (
    READS_ALL_MODULES,
    SOURCE,
    imported,
    imported_modules,
    modules,
    name_of,
    parsed,
)

pytestmark = READS_ALL_MODULES

SHARED = {"errors", "events", "paths", "__init__"}
"""Modules at the top that every folder may import."""

CORE_ORDER = ("model", "coverage", "resolve", "deliver", "throttle", "apply")
"""The packages of `core/`: each one may import those before it."""

CORE_WORDS = {"core/effects", "config", "patterns"}
"""What every package of `core/` may import besides."""

MAY_IMPORT: dict[str, set[str]] = {
    "protocol/gam": set(),
    "protocol/watchman": {"patterns"},
    "config": {"patterns"},
    "config/loader": {"config", "patterns", "system"},
    "patterns": set(),
    "core/effects": {"core/model"},
    **{
        f"core/{package}": CORE_WORDS | {f"core/{p}" for p in CORE_ORDER[:position]}
        for position, package in enumerate(CORE_ORDER)
    },
    "core": {"core", "config", "patterns"},
    "engine": {"backends/base", "config", "core"},
    "backends/base": set(),
    "system": set(),
    "backends": {"system"},
    "state": {"config", "core"},
    "daemon/io": {"system"},
    # The drive joins the loop and the executor; the rest of `io` knows neither.
    "daemon/io/drive": {"backends", "core", "daemon/io", "engine", "system"},
    "daemon/sessions": {
        *("config", "core", "daemon/io", "engine", "patterns", "protocol", "state"),
        "system",
    },
    "daemon/process": {
        *("backends", "config", "core", "daemon/io", "daemon/sessions", "engine"),
        *("protocol", "system"),
    },
    "client": {"protocol", "system"},
    "compat": {"client", "config", "protocol", "system"},
    "fleet": {"client", "protocol", "system"},
    "cli": {"client", "compat", "fleet", "config", "protocol", "state", "system"},
}

PURE = ("protocol", "config", "patterns", "core", "engine")
"""Bytes, changes and `now` come in as arguments; effects come out."""

IMPURE_BY_DESIGN = {"config/loader.py"}

IO_MODULES = {
    *("asyncio", "ctypes", "fcntl", "glob", "io", "logging", "mmap", "os", "pathlib"),
    *("pwd", "random", "secrets", "select", "selectors", "shutil", "signal", "socket"),
    *("subprocess", "tempfile", "threading", "time", "uuid"),
}
IO_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}

READS_THE_ENVIRONMENT = {
    *(
        "cli/compat.py",
        "cli/control.py",
        "cli/exec.py",
        "cli/git.py",
        "cli/process_group.py",
        "cli/service.py",
        "cli/watch.py",
        "cli/watchman.py",
        "compat/site/sitecustomize.py",
    ),
    *("client/connect.py", "client/launch.py", "compat/settings.py"),
    *("daemon/process/main.py", "daemon/process/start.py", "daemon/io/child.py"),
    *("config/loader.py", "system/debug_log.py"),
}
"""Where programs start. Everything else takes the mapping as an argument."""


def folder_of(name: str) -> str:
    """The rule that counts for a module: the longest key that leads to it."""
    path = name.removesuffix(".py")
    parts = path.split("/")
    leading = ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((each for each in leading if each in MAY_IMPORT), path)


def is_allowed(importer: str, imported: str) -> bool:
    """Both are folders of `folder_of`; a rule covers everything below its folder."""
    allowed = {importer, *SHARED, *MAY_IMPORT[importer]}
    parts = imported.split("/")
    return any("/".join(parts[:n]) in allowed for n in range(1, len(parts) + 1))


def not_allowed(module: Path) -> list[str]:
    importer = folder_of(name_of(module))
    if importer not in MAY_IMPORT:
        return []  # a module at the top: judged below
    others = sorted(imported_modules(module))
    return [other for other in others if not is_allowed(importer, folder_of(other))]


def test_a_folder_imports_only_what_its_rule_names() -> None:
    found = {name_of(m): wrong for m in modules() if (wrong := not_allowed(m))}
    assert not found, "may not be imported there"


@pytest.mark.parametrize("name", sorted(SHARED - {"__init__"}))
def test_the_shared_modules_import_only_each_other(name: str) -> None:
    allowed = {f"{each}.py" for each in SHARED}
    assert imported_modules(SOURCE / f"{name}.py") <= allowed


def io_of(module: Path) -> set[str]:
    """What it imports or calls that does I/O or reads a clock."""
    called = {
        node.func.id
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    named = {name.split(".")[0] for name in imported(module)}
    return named & IO_MODULES | called & IO_CALLS


def test_a_pure_folder_does_no_io_and_reads_no_clock() -> None:
    pure = [m for m in modules() if name_of(m).startswith(PURE)]
    found = {name_of(module): io for module in pure if (io := io_of(module))}
    assert found.keys() == IMPURE_BY_DESIGN


def test_the_interface_of_backends_does_no_io() -> None:
    """The engine knows it, and no backend."""
    used = {name.split(".")[0] for name in imported(SOURCE / "backends" / "base.py")}
    assert not used & IO_MODULES


def test_every_folder_has_a_rule() -> None:
    without = {
        name_of(module)
        for module in modules()
        if "/" in name_of(module) and folder_of(name_of(module)) not in MAY_IMPORT
    }
    assert without <= {"protocol/__init__.py", "daemon/__init__.py"}


def test_linux_is_known_only_in_system() -> None:
    """ctypes is how we reach system calls that Python does not offer."""
    users = {name_of(m) for m in modules() if "ctypes" in set(imported(m))}
    assert all(name.startswith("system/") for name in users), users


def test_re2_is_known_only_to_its_wrapper() -> None:
    users = {name_of(m) for m in modules() if "re2" in set(imported(m))}
    assert users == {"patterns/re2.py"}


def test_proc_is_read_only_in_system() -> None:
    """A path below /proc in a string that is not a docstring."""
    readers = {name_of(m) for m in modules() if any(_proc_paths(m))}
    assert all(name.startswith("system/") for name in readers), readers


def _proc_paths(module: Path) -> list[str]:
    strings = (
        node.value
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Constant)
    )
    texts = (s.decode() if isinstance(s, bytes) else s for s in strings)
    return [s for s in texts if isinstance(s, str) and s.startswith("/proc/")]


def test_the_environment_is_read_only_where_programs_start() -> None:
    readers = {
        name_of(module)
        for module in modules()
        if "os.environ" in module.read_text() or "getenv" in module.read_text()
    }
    assert readers <= READS_THE_ENVIRONMENT
