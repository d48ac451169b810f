"""The `sitecustomize` of `gamin exec`, in the programs that get it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gamin

SITE = os.path.join(os.path.dirname(gamin.__file__), "compat", "site")

WITHOUT_GAMIN = "import sys; sys.modules['gamin'] = None; "
"""How the environment of a program looks that has no gamin."""


def run(code: str, replace: str, *folders: str) -> subprocess.CompletedProcess[str]:
    """A Python program to which `gamin exec` gave its folder."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([SITE, *folders])}
    environ.pop("GAMIN_EXEC_REPORTED", None)
    environ["GAMIN_REPLACE"] = replace
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_start_of_a_program_imports_nothing_of_gamin() -> None:
    code = "import sys; print([name for name in sys.modules if 'gamin' in name])"
    done = run(code, "watchfiles,watchdog")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_first_import_of_a_library_installs_the_engines() -> None:
    code = (
        "import sys; import json; print('gamin.compat.install' in sys.modules); "
        "import watchdog; print('gamin.compat.install' in sys.modules)"
    )
    assert run(code, "watchdog").stdout == "False\nTrue\n"


@pytest.mark.parametrize("replace", ["0", "watchfiles"])
def test_other_imports_install_nothing(replace: str) -> None:
    code = "import sys, watchdog; print('gamin.compat.install' in sys.modules)"
    assert run(code, replace).stdout == "False\n"


def test_the_sitecustomize_behind_it_still_runs(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('mine')\n")
    code = "import sys; print([p for p in sys.path if p.endswith('compat/site')])"
    assert run(code, "watchdog", str(tmp_path)).stdout == "mine\n[]\n"


def test_a_program_without_gamin_says_so_once_and_runs_as_ever() -> None:
    code = WITHOUT_GAMIN + "import watchdog, watchfiles; print('ran')"
    done = run(code, "watchfiles,watchdog")
    assert done.stdout == "ran\n"
    assert done.stderr.count("has no gamin") == 1


@pytest.mark.parametrize(
    ("library", "replace"), [("hupper", "hupper"), ("watchdog", "watchdog")]
)
def test_the_import_of_a_library_loads_no_module_that_costs_more_than_ours(
    library: str, replace: str, tmp_path: Path
) -> None:
    """A stand-in, for the real ones import much themselves."""
    (tmp_path / library).mkdir()
    (tmp_path / library / "__init__.py").touch()
    code = (
        f"import sys; before = {{*sys.modules}}; import {library}; "
        "print('gamin.compat.install' in sys.modules, "
        "*{'typing', 're', 'inspect', 'json', 'logging', 'socket', 'dataclasses'} "
        "& ({*sys.modules} - before))"
    )
    assert run(code, replace, str(tmp_path)).stdout == "True\n"
