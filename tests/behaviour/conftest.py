"""Sessions for tests that use `gamin.watch`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.watches import serving


@pytest.fixture
def own_server(session: str) -> Iterator[None]:
    """Watches of the test share one server, which ends with it."""
    with serving(session):
        yield


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of 10,000 files. A test that moves it moves it back."""
    tree = tmp_path_factory.mktemp("large") / "tree"
    for folder in range(20):
        (tree / f"{folder:03}").mkdir(parents=True)
        for number in range(500):
            (tree / f"{folder:03}" / f"a-rather-long-name-{number:05}").touch()
    return tree
