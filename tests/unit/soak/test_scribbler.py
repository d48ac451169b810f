"""Random acts stay where they are meant to be."""

import os
from pathlib import Path

import pytest

from soak.scribbler import Scribbler

ACTS = 4000


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_above_the_tree_is_left_alone(tmp_path: Path, seed: int) -> None:
    above = tmp_path / "above"
    root, outside = above / "root", above / "outside"
    root.mkdir(parents=True)
    outside.mkdir()
    for folder in (tmp_path, above):
        folder.chmod(0o751)
    scribbler = Scribbler(root, outside, seed)
    for _ in range(ACTS):
        scribbler.act()
    assert os.listdir(tmp_path) == ["above"]
    assert sorted(os.listdir(above)) == ["outside", "root"]
    assert {folder.stat().st_mode & 0o777 for folder in (tmp_path, above)} == {0o751}
    assert os.listdir(root)
