"""Changes come faster than they can be taken in, and directories get busy and hot."""

from pathlib import Path

import pytest

import gamin
from bench.build import NotBuilt, generate
from gamin import Watch
from tests.support.beliefs import Belief, differences, disk
from tests.support.server_state import status, stopped_server
from tests.support.watches import SOON

pytestmark = pytest.mark.usefixtures("own_server")

DIRECTORIES, ROUNDS, FILES = 30, 60, 100


def prepare(folder: Path) -> Path:
    folder.mkdir()
    try:
        generate("storm", folder, DIRECTORIES, 1, FILES, "--prepare")
    except NotBuilt as reason:
        pytest.skip(str(reason))
    return folder


def taken_in(watch: Watch, root: Path) -> Belief:
    """What is believed once it is right; TimedOut if it never is."""
    belief = Belief(root)
    belief.take(next(watch))
    while differences(belief.top, disk(root)):
        belief.take(next(watch))
    return belief


def test_what_is_believed_after_a_storm_is_what_is_there(tmp_path: Path) -> None:
    root = prepare(tmp_path / "root")
    with gamin.watch(root, initial=True, timeout=SOON) as watch:
        generate("storm", root, DIRECTORIES, ROUNDS, FILES)
        assert not taken_in(watch, root).contradictions


def test_it_is_so_too_if_the_queue_overflowed_meanwhile(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    lost, seen = prepare(root / "lost"), prepare(root / "seen")
    with gamin.watch(root, initial=True, timeout=SOON) as watch:
        with stopped_server():
            generate("storm", lost, DIRECTORIES, ROUNDS // 4, FILES)
        generate("storm", seen, DIRECTORIES, ROUNDS, FILES)
        taken_in(watch, root)
        assert status().recoveries.overflows
