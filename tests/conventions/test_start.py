"""What is imported at a start: who calls waits for all of it."""

import subprocess
import sys

import pytest

SLOW = {
    "argparse",
    "asyncio",
    "dataclasses",
    "hashlib",
    "inspect",
    "json",
    "msgspec",
    "re2",
    "shutil",
    "sqlite3",
    "subprocess",
    "tempfile",
}

WATCHMAN = """
from gamin.daemon.process.lean_import import lean_import
with lean_import():
    import gamin.daemon.sessions.watchman.language
"""
"""What the server imports for the first client of that language."""


@pytest.mark.parametrize(
    ("statement", "needed"),
    [
        pytest.param("import gamin.daemon.process.main", set(), id="the server"),
        pytest.param(WATCHMAN, {"json", "msgspec"}, id="the Watchman language"),
        pytest.param("import gamin; gamin.watch", {"json"}, id="watch"),
        pytest.param("import gamin.client.blocking", set(), id="the client of v1"),
        pytest.param("import gamin", set(), id="the package"),
    ],
)
def test_a_start_imports_no_slow_module_without_need(
    statement: str, needed: set[str]
) -> None:
    program = f"{statement}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert SLOW & set(done.stdout.split()) == needed
