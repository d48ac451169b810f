"""Replacing engines in a process: before and after the import, and never unasked."""

import subprocess
import sys
from pathlib import Path

import pytest

import gamin.compat

pytest.importorskip("watchfiles")


def printed(code: str, **environ: str) -> str:
    command = [sys.executable, "-I", "-W", "error", "-c", code]
    return subprocess.check_output(command, text=True, env=environ).strip()


ASK = """
import watchfiles.main, watchfiles._rust_notify
names = {watchfiles.main.RustNotify.__module__}
names.add(watchfiles._rust_notify.RustNotify.__module__)
print(*names)
"""


@pytest.mark.parametrize(
    "before", ["", "import watchfiles", "from watchfiles import *"]
)
def test_the_engine_is_replaced_before_and_after_the_import(before: str) -> None:
    code = f"{before}\nimport gamin.compat\ngamin.compat.install('watchfiles')\n{ASK}"
    assert printed(code) == "gamin.compat.rust_notify"


def test_another_library_and_the_environment_leave_it_alone() -> None:
    install = "import gamin.compat; gamin.compat.install({})\n"
    assert printed(install.format("'watchdog'") + ASK) != "gamin.compat.rust_notify"
    assert (
        printed(install.format("") + ASK, GAMIN_REPLACE="0")
        != "gamin.compat.rust_notify"
    )


def test_the_module_keeps_its_real_loader() -> None:
    code = (
        "import gamin.compat; gamin.compat.install('watchfiles'); import watchfiles\n"
    )
    code += "print(type(watchfiles._rust_notify.__spec__.loader).__name__)"
    assert printed(code) == "ExtensionFileLoader"


HUPPER = "def is_watchdog_supported(): return {}\ndef is_watchman_supported(): return 3"


@pytest.mark.parametrize(
    ("has_watchdog", "replace", "uses_watchman"),
    [
        (True, "watchdog,hupper", "False"),
        (False, "watchdog,hupper", "True"),
        (True, "watchdog", "3"),
    ],
)
def test_hupper_prefers_watchdog_to_the_socket_that_gamin_exec_sets(
    has_watchdog: bool, replace: str, uses_watchman: str, tmp_path: Path
) -> None:
    (tmp_path / "hupper").mkdir()
    (tmp_path / "hupper" / "__init__.py").touch()
    (tmp_path / "hupper" / "utils.py").write_text(HUPPER.format(has_watchdog))
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from gamin.compat.install import install_wanted; install_wanted()\n"
    code += "from hupper.utils import is_watchman_supported as f; print(f())"
    assert printed(code, GAMIN_REPLACE=replace) == uses_watchman


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(ValueError, match="watchfiles and watchdog, not 'pyinotify'"):
        gamin.compat.install("pyinotify")


def test_the_status_names_what_each_library_uses() -> None:
    code = "import gamin.compat as c; c.install('watchfiles'); a = c.status();"
    code += "import watchfiles; print(a, c.status())"
    before, after = printed(code).split("} {")
    assert "'watchfiles': 'gamin, once it is imported'" in before
    assert "'watchfiles': 'gamin'" in after
    assert "'watchdog': 'its own engine: not installed'" in after
    code = "import gamin.compat; print(gamin.compat.status())"
    assert "GAMIN_REPLACE is 0" in printed(code, GAMIN_REPLACE="0")
