"""The README's examples and commands do what they say."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
README = (HERE / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_example_prints_what_happens(tmp_path: Path, session: str) -> None:
    watching, told = _run_first_example(tmp_path)
    assert watching == 0
    assert f"created {tmp_path}/src/new" in told


def _run_first_example(folder: Path) -> tuple[int, str]:
    """Run it in a folder of its own; make a file as soon as it listens."""
    (folder / "src").mkdir()
    code = (
        EXAMPLES[0]
        .replace("gamin.watch(", "watch(")
        .replace("timeout=60", "timeout=20")
    )
    begin = (
        "import gamin, pathlib\n"
        "def watch(*paths, **options):\n"
        "    watching = gamin.watch(*paths, **options)\n"
        "    pathlib.Path('src/new').touch()\n"
        "    yield next(watching)\n"
        "    watching.close()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", begin + code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_the_second_example_compiles_to_a_coroutine() -> None:
    names: dict[str, object] = {}
    exec(compile(EXAMPLES[1], "README.md", "exec"), names)
    assert asyncio.iscoroutinefunction(names["main"])


@pytest.mark.parametrize("target", ["watch", "test"])
def test_the_commands_of_the_readme_are_in_the_makefile(target: str) -> None:
    assert f"$ make {target}" in README
    assert re.search(rf"^{target}:", (HERE / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", re.findall(r"\]\(([^)#]+)\)", README))
def test_the_pages_the_readme_names_are_there(page: str) -> None:
    assert (HERE / page).is_file()


def test_ci_calls_the_readmes_test_command() -> None:
    assert "\nmake test\n" in (HERE / ".ci" / "run").read_text()
