"""Compiles the C programs of the benchmark, each one when it is first needed.

The head of each file in `bench/c` describes its program.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
BUILT = Path(__file__).parent / "build"
LIBRARIES = {"fam": ["-lfam"]}


class NotBuilt(Exception):
    """The compiler failed or is missing; the text is its last line."""


def program(name: str) -> str:
    """The path of the C program `name`, up to date. Raises NotBuilt."""
    source, target = SOURCES / f"{name}.c", BUILT / name
    sources = [source, *SOURCES.glob("*.h")]
    if not target.exists() or not all(_older(each, target) for each in sources):
        BUILT.mkdir(exist_ok=True)
        compile_c(source, target, LIBRARIES.get(name, []))
    return str(target)


def compile_c(source: Path, target: Path, libraries: Sequence[str] = ()) -> None:
    """Compile `source`. Raises NotBuilt.

    The compiler writes to a private name, which is then renamed: another process that
    needs the same program at the same moment never runs half of it.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as private:
        built = os.path.join(private, target.name)
        command = ["cc", "-O2", "-Wall", "-Wextra", "-o", built, str(source)]
        try:
            done = subprocess.run(
                [*command, *libraries], capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise NotBuilt("no C compiler (cc)") from error
        if done.returncode:
            raise NotBuilt((done.stderr.strip().splitlines() or ["cc failed"])[-1])
        os.replace(built, target)


def _older(source: Path, target: Path) -> bool:
    return source.stat().st_mtime <= target.stat().st_mtime


def generate(name: str, *arguments: object) -> str:
    """Run a generator to its end; return its output."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
