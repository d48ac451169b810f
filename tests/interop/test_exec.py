"""`gamin exec`: which engines the Python programs that it runs have.

`test_programs` runs programs that others wrote.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.watches import serving
from testkit.watching_programs import GAMIN, PYTHON


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


def printed(
    folder: Path, code: str, *options: str, python: str = PYTHON, **environ: str
) -> str:
    command = [GAMIN, "exec", *options, "--", python, "-c", code]
    environ = {**os.environ, **environ}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


ENGINES = """
import os, watchfiles.main, watchdog.observers
print(watchfiles.main.RustNotify.__module__, watchdog.observers.Observer.__name__)
print("WATCHMAN_SOCK" in os.environ)
"""


def test_only_the_named_libraries_are_replaced(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    pytest.importorskip("watchdog")
    ours, theirs = "gamin.compat.rust_notify", "builtins"
    assert printed(tmp_path, ENGINES).split() == [ours, "GaminObserver", "True"]
    assert printed(tmp_path, ENGINES, "--only", "watchdog").split() == [
        *(theirs, "GaminObserver", "False")
    ]
    assert printed(tmp_path, ENGINES, GAMIN_REPLACE="0").split() == [
        *(theirs, "InotifyObserver", "False")
    ]


def test_the_sitecustomize_that_ours_hides_runs_and_pythonpath_stays(
    tmp_path: Path,
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.hidden = 1")
    code = "import sys; print(sys.hidden, 'compat/site' in ''.join(sys.path))"
    assert printed(tmp_path, code, PYTHONPATH=str(tmp_path)) == "1 False\n"


def test_an_interpreter_without_watchers_loads_nothing_of_gamin(tmp_path: Path) -> None:
    code = "import sys; print([name for name in sys.modules if 'gamin' in name])"
    # An editable installation has a finder of its own.
    found = printed(tmp_path, code)
    assert "gamin.compat" not in found


def test_a_python_without_gamin_warns_once_and_runs(tmp_path: Path) -> None:
    (tmp_path / "watchfiles.py").touch()
    (tmp_path / "watchdog.py").touch()
    other = getattr(sys, "_base_executable", PYTHON)
    if other == PYTHON:
        pytest.skip("the tests run in no environment of their own")
    code = "import watchfiles, watchdog; print('runs')"
    text = printed(tmp_path, code, python=other, PYTHONPATH=str(tmp_path))
    assert text.count("has no gamin") == 1
    assert "runs" in text


def test_the_exit_status_is_that_of_the_program(tmp_path: Path) -> None:
    def status(*command: str) -> int:
        return subprocess.call(
            [GAMIN, "exec", *command], cwd=tmp_path, stderr=subprocess.DEVNULL
        )

    assert status("--", PYTHON, "-c", "raise SystemExit(7)") == 7
    assert status("--", "no-such-program") == 127
    assert status("--", str(tmp_path)) == 126
    assert status("--") == 64


def test_a_program_runs_unchanged_without_a_server(tmp_path: Path) -> None:
    text = printed(
        tmp_path,
        "print('runs')",
        GAM_CLIENT_ID="nobody-serves-this",
        GAMIN_DEBUG_SERVER="/bin/no-such-program",
    )
    assert "running without the service" in text
    assert "runs\n" in text
