"""What is imported at a start: who calls waits for all of it."""

import subprocess
import sys

import pytest

SLOW = {
    "argparse",
    "asyncio",
    "dataclasses",
    "inspect",
    "json",
    "msgspec",
    "re2",
    "shutil",
    "subprocess",
    "tempfile",
}


@pytest.mark.parametrize(
    ("statement", "needed"),
    [
        pytest.param("import gamin.daemon.process.main", set(), id="the server"),
        pytest.param("import gamin; gamin.watch", {"json"}, id="watch"),
        pytest.param("import gamin.client.blocking", set(), id="the client of v1"),
        pytest.param("import gamin", set(), id="the package"),
    ],
)
def test_a_start_imports_no_slow_module_without_need(
    statement: str, needed: set[str]
) -> None:
    program = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert SLOW & set(done.stdout.split()) == needed
