"""In which processes tests run, and in which order they are handed out."""

import importlib
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from xdist.scheduler import LoadGroupScheduling

BY_MODULE = ("tests/unit/", "tests/conventions/")
"""Folders whose tests are so short that handing out each by itself costs more than it
gains: a process gets a whole module."""


class ModuleScheduling(LoadGroupScheduling):  # type: ignore[misc]  # it has no types
    """As `--dist loadgroup`, in the order of collection, and short tests by module."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)
        # Those with the most tests would come first, and they are not the longest.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        if scope == nodeid and nodeid.startswith(BY_MODULE):
            return nodeid.partition("::")[0]
        return scope


def compile_modules(config: pytest.Config) -> None:
    """Compile what a run of all tests imports, before several processes import it.

    In a fresh clone each of them would compile every module, all at the same time.
    """
    is_everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if not is_everything or sys.dont_write_bytecode:
        return
    for module in (config.rootpath / "tests").rglob("test_*.py"):
        if not _is_compiled(module):
            name = ".".join(module.relative_to(config.rootpath).with_suffix("").parts)
            with suppress(Exception, pytest.skip.Exception):  # reported by the others
                importlib.import_module(name)


def _is_compiled(module: Path) -> bool:
    """Whether pytest has kept the module compiled, in whatever version it was."""
    compiled = f"{module.stem}.{sys.implementation.cache_tag}-pytest-*.pyc"
    return any((module.parent / "__pycache__").glob(compiled))
