"""The wheel that is built from the tree, and what pip installs of it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from gamin.cli.data_files import data_files

ROOT = Path(__file__).parents[2]


def run(*words: object) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HATCH_")}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(
    "GAMIN_COMPILED" in os.environ, reason="the venv of that has no build tools"
)
def test_pip_installs_programs_completions_and_the_manual_page(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl"), "nothing is compiled unasked"
    prefix = tmp_path / "prefix"
    run(
        *("-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        # Otherwise pip would uninstall the package that is tested.
        *("--disable-pip-version-check", "--ignore-installed", "--no-compile"),
        *("--prefix", prefix, wheel),
    )
    for name, text in data_files().items():
        assert (prefix / name).read_text() == text
    for program in ("gamin", "gam_server"):
        assert os.access(prefix / "bin" / program, os.X_OK)
    modules = Path(sysconfig.get_path("purelib", vars={"base": str(prefix)}))
    names = {path.name for path in modules.iterdir()}
    assert names == {"gamin", wheel.name.split("-py3")[0] + ".dist-info"}, (
        "no other program is changed by what is installed"
    )
    package = modules / "gamin"
    assert (package / "py.typed").is_file()
    assert not list(package.rglob("*.so"))
