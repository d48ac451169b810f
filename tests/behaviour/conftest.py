"""Sessions for tests that use `gamin.watch`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.remembering import remembering
from testkit.watches import serving


@pytest.fixture
def own_server(session: str) -> Iterator[None]:
    """Watches of the test share one server, which ends with it."""
    with serving(session):
        yield


@pytest.fixture
def state(tmp_path: Path, session: str) -> Iterator[Path]:
    """The directory in which the servers of the test keep their state."""
    with remembering(session, tmp_path / "state") as state:
        yield state


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of 10,000 files. A test that moves it moves it back."""
    tree = tmp_path_factory.mktemp("large") / "tree"
    for folder in range(20):
        (tree / f"{folder:03}").mkdir(parents=True)
        for number in range(500):
            (tree / f"{folder:03}" / f"a-rather-long-name-{number:05}").touch()
    return tree
