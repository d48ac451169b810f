"""A place for a state that is not there yet."""

import os
from pathlib import Path

import pytest

from gamin.state.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(os.fsencode(tmp_path / "state"), b"s", os.getuid())
