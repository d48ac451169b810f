"""Compiles the hot modules with mypyc into a wheel, if that is asked for.

hatchling calls this when HATCH_BUILD_HOOK_ENABLE_CUSTOM is set (`make compiled`);
otherwise the wheel is pure Python. Which modules they are says pyproject.toml, what
they gain ARCHITECTURE.md. Everything is made in a temporary directory: beside the
sources it would be imported by who works on them.
"""

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GROUP = "gamin"
"""All are one library, `gamin__mypyc`, so that they call each other directly."""


class CompiledModules(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # what is edited is the Python source
        self._place = TemporaryDirectory()
        made = Path(self._place.name).resolve()
        source = Path(self.root, self.config["source"])
        with contextlib.chdir(source):
            _compile(self.config["modules"], made)
        for library in (made / "lib").rglob("*.so"):
            name = library.relative_to(made / "lib")
            build_data["force_include"][str(library)] = str(name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:
        if version != "editable":
            self._place.cleanup()


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
