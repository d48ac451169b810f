"""Compiling the C programs of the benchmark while others do the same."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from bench.build import NotBuilt, compile_c
from testkit.required import needs

PROGRAM = '#include <stdio.h>\nint main(void) { puts("whole"); return 0; }\n'

pytestmark = needs("cc")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "hello.c").write_text(PROGRAM)
    return tmp_path / "hello.c"


def test_a_program_appears_under_its_name_only_when_it_is_whole(source: Path) -> None:
    """A half-written file cannot run, or is busy while it is written (ETXTBSY)."""
    target = source.with_suffix("")
    done = threading.Event()
    outputs: set[bytes] = set()

    def run_as_soon_as_it_is_there() -> None:
        while not done.is_set():
            if target.exists():
                outputs.add(subprocess.check_output([target]))

    runner = threading.Thread(target=run_as_soon_as_it_is_there)
    runner.start()
    try:
        for _ in range(3):
            compile_c(source, target)
    finally:
        done.set()
        runner.join()
    outputs.add(subprocess.check_output([target]))
    assert outputs == {b"whole\n"}


def test_the_compiler_writes_beside_the_target_and_renames(source: Path) -> None:
    target = source.with_suffix("")
    target.write_bytes(b"the old build")
    with target.open("rb") as old:
        compile_c(source, target)
        assert old.read() == b"the old build"
    assert os.access(target, os.X_OK)
    assert sorted(path.name for path in source.parent.iterdir()) == ["hello", "hello.c"]


def test_a_program_that_does_not_compile_leaves_nothing(source: Path) -> None:
    source.write_text("not C")
    with pytest.raises(NotBuilt, match="error"):
        compile_c(source, source.with_suffix(""))
    assert [path.name for path in source.parent.iterdir()] == ["hello.c"]
