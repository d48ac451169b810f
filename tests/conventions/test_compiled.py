"""The build with C extensions: the tests of a module are worth nothing for it unless
it is the extension that they import."""

import os
import tomllib
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def compiled() -> list[str]:
    """The paths of the modules that `make compiled` compiles, below `src`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]
    return list(hook["modules"])


@pytest.mark.skipif(
    "GAMIN_COMPILED" not in os.environ, reason="only for `make test-compiled`"
)
@pytest.mark.parametrize("path", compiled())
def test_a_module_that_is_compiled_is_imported_as_an_extension(path: str) -> None:
    module = import_module(path.removesuffix(".py").replace("/", "."))
    assert str(module.__file__).endswith(tuple(EXTENSION_SUFFIXES))


@pytest.mark.parametrize("path", compiled())
def test_the_compiled_modules_are_the_source_of_the_pure_build(path: str) -> None:
    assert (ROOT / "src" / path).is_file()
