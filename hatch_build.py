"""What a wheel has beside the sources.

Completions of shells and the manual page are made of what the parsers know, so no copy
of them is kept. With HATCH_BUILD_HOOK_ENABLE_CUSTOM set (`make compiled`) the hot
modules are compiled with mypyc, too; otherwise the wheel is pure Python. Which modules
they are says pyproject.toml, what they gain ARCHITECTURE.md. Everything is made in a
temporary directory: beside the sources it would be imported by who works on them.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GROUP = "gamin"
"""All are one library, `gamin__mypyc`, so that they call each other directly."""


class MadeFiles(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return ["mypy>=1.19", "setuptools>=77"] if _is_compiled() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._place = TemporaryDirectory()
        made = Path(self._place.name).resolve()
        source = Path(self.root, self.config["source"])
        _write_data_files(source, made / "data")
        for top in (made / "data").iterdir():
            build_data["shared_data"][str(top)] = top.name
        if version == "editable" or not _is_compiled():
            return  # what is edited is the Python source
        with contextlib.chdir(source):
            _compile(self.config["modules"], made)
        for library in (made / "lib").rglob("*.so"):
            name = library.relative_to(made / "lib")
            build_data["force_include"][str(library)] = str(name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:
        self._place.cleanup()


def _is_compiled() -> bool:
    return os.environ.get("HATCH_BUILD_HOOK_ENABLE_CUSTOM") in ("1", "true")


def _write_data_files(source: Path, made: Path) -> None:
    """In a process of its own, because this one may have another gamin installed."""
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from gamin.cli.data_files import write; write(Path(sys.argv[2]))"
    )
    words = [sys.executable, "-B", "-c", program, str(source), str(made)]
    # The width of somebody's terminal must not be in the texts.
    subprocess.run(words, env={**os.environ, "COLUMNS": "80"}, check=True)


def _compile(modules: list[str], made: Path) -> None:
    """Make the extensions in `made`/lib, laid out as they are imported.

    Modules are paths from the working directory, which mypy takes their names from.
    """
    from mypyc.build import mypycify
    from setuptools import Distribution

    # Types are checked by `make lint`; here the packages that we import are missing.
    options = ["--config-file=", f"--cache-dir={made}/mypy", "--ignore-missing-imports"]
    extensions = mypycify(
        [*options, *modules],
        group_name=GROUP,
        opt_level="3",
        debug_level="0",
        target_dir=str(made / "c"),
    )
    build = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
    build.build_lib, build.build_temp = str(made / "lib"), str(made / "objects")
    build.ensure_finalized()
    build.run()
