"""The server is killed (SIGKILL) again and again while a tree changes."""

import random
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import gamin
from gamin import Event, Kind
from gamin.client.locate import NoServer
from testkit.beliefs.watch import Belief, differences, there
from testkit.watches import SOON, kill_server

pytestmark = pytest.mark.usefixtures("own_server")

KILLS = 4
ACTS = 200
"""Acts between two kills."""
NAMES = "abcdefgh"


class Scribbler:
    """Changes a tree at random."""

    def __init__(self, root: Path, seed: int) -> None:
        self._root = root
        self._random = random.Random(seed)
        self._acts: list[Callable[[Path], object]] = [
            lambda path: path.write_text("x" * self._random.randint(0, 9)),
            lambda path: path.write_text("text"),
            lambda path: path.mkdir(parents=True),
            lambda path: path.unlink(),
            lambda path: shutil.rmtree(path),
            lambda path: path.rename(self._path()),
        ]

    def act(self, end: Path) -> None:
        """Make many changes, and then one that will last."""
        for _ in range(ACTS):
            with suppress(OSError):
                self._random.choice(self._acts)(self._path())
        end.touch()

    def _path(self) -> Path:
        depth = self._random.randint(1, 3)
        return self._root.joinpath(*self._random.choices(NAMES, k=depth))


def is_wrong(belief: Belief) -> bool:
    return bool(differences(belief.top, there(belief.root)))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    Scribbler(tree, seed=2).act(tree / "start")
    return tree


def test_the_belief_of_a_client_becomes_right_without_a_new_listing(
    tree: Path,
) -> None:
    belief, scribbler = Belief(tree), Scribbler(tree, seed=3)
    reported: list[Event] = []
    with gamin.watch(tree, initial=True, timeout=SOON) as watch:
        belief.take(next(watch))
        with ThreadPoolExecutor(1) as beside:
            for number in range(KILLS):
                work = beside.submit(scribbler.act, tree / f"end-{number}")
                # The server before may have reported all; then none was started.
                with suppress(NoServer):
                    kill_server()
                while f"end-{number}" not in belief.paths() or is_wrong(belief):
                    reported += (batch := next(watch))
                    belief.take(batch)
                work.result()
    assert any(event.recovered for event in reported)
    assert not any(event.kind is Kind.EXISTS for event in reported)
    assert not belief.contradictions
