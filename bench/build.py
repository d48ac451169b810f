"""Compiles the C programs of the benchmark, each when it is first wanted.

What they do is said at the top of each in `bench/c`.
"""

import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
BUILT = Path(__file__).parent / "build"
LIBRARIES = {"fam": ["-lfam"]}


class NotBuilt(Exception):
    """The compiler refused, or there is none; the text is what it said last."""


def program(name: str) -> str:
    """The path of the C program `name`, up to date. Raises NotBuilt."""
    source, target = SOURCES / f"{name}.c", BUILT / name
    sources = [source, *SOURCES.glob("*.h")]
    if target.exists() and all(_older(each, target) for each in sources):
        return str(target)
    BUILT.mkdir(exist_ok=True)
    command = ["cc", "-O2", "-Wall", "-Wextra", "-o", str(target), str(source)]
    try:
        done = subprocess.run(
            command + LIBRARIES.get(name, []), capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise NotBuilt("no C compiler (cc)") from error
    if done.returncode:
        raise NotBuilt(done.stderr.strip().splitlines()[-1])
    return str(target)


def _older(source: Path, target: Path) -> bool:
    return source.stat().st_mtime <= target.stat().st_mtime


def generate(name: str, *arguments: object) -> str:
    """Run a generator to its end; return what it printed."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
