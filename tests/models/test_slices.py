"""What is read in slices, while acts happen between two of them, is that of one tick.

A client that comes back with a clock receives the difference, a listing of all names,
and then what happened since the tick of both. With `settle` it leaves out the deletion
of a name that is neither in the listing nor reported after it. The sequences are drawn
by a generator with a seed: what happens must often concern what is just being read.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from gamin.core.model.subscription import Scope
from gamin.daemon.sessions.watchman import directory_listing
from gamin.daemon.sessions.watchman.directory_listing import folders
from gamin.events import Kind
from gamin.protocol.watchman.codec.directory_listing import Folder
from testkit.actions.in_memory import Act
from testkit.beliefs.strict import StrictBelief, truth
from testkit.doubles.engine import Shell
from testkit.examples import examples

ROOT = b"/w/"
SEQUENCES = 100
"""Sequences of one test: the first of them fail if a name that was replaced is left
out."""


def some_path(chance: Random) -> bytes:
    names = chance.choices([b"a", b"b", b"c"], k=chance.randint(1, 3))
    return ROOT + b"/".join(names)


def some_act(chance: Random) -> Act:
    path, other = some_path(chance), some_path(chance)
    verbs = ["makedirs", "makedirs", "touch", "touch", "rmtree", "unlink"]
    match chance.choices(["plain", "inside", "out", "in"], [55, 30, 5, 10]):
        case ["plain"]:
            return Act(chance.choice(verbs), path)
        case ["inside"]:
            return Act("rename", path, other)
        case ["out"]:
            return Act("rename", path, b"/outside")
        case _:
            return Act("rename", b"/outside", path)


class Reader:
    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._shell = Shell()
        self._shell.disk.makedirs(b"/w/a/b")
        self._tree = self._shell.view().subscribe(b"/w", Scope.TREE)
        self._belief = StrictBelief()
        self._names: set[bytes] = set()

    def happen(self, most: int) -> None:
        for _ in range(self._chance.randint(0, most)):
            some_act(self._chance).on(self._shell)
            self._shell.settle()

    def run(self) -> None:
        """AssertionError or Contradiction where the client is wrong."""
        monitor, tree, belief = self._shell.monitor, self._tree, self._belief
        self.happen(8)
        since = monitor.tree.tick
        belief.start(truth(self._shell.disk, tree))
        self.happen(8)
        until = monitor.tree.tick
        difference = iter(monitor.changes_since(tree, since, until) or ())
        listing = folders(tree, until)
        while rows := list(islice(difference, self._chance.randint(1, 3))):
            for row in rows:
                belief.apply(row, is_belated=True)
            self.happen(1)
        self.happen(4)
        while directories := list(islice(listing, self._chance.randint(1, 2))):
            self._names.update(self._paths(directories))
            self.happen(1)
        self._follow(until)
        assert belief.entries() == truth(self._shell.disk, tree)

    def _paths(self, directories: list[Folder | None]) -> Iterator[bytes]:
        for folder, names in filter(None, directories):
            prefix = ROOT + folder + b"/" if folder else ROOT
            yield from (prefix + name for name in (names or b"").split(b"/"))

    def _follow(self, tick: int) -> None:
        for row in self._shell.rows_since(self._tree, tick) or ():
            if row.kind is Kind.DELETED:
                if row.path not in self._names:
                    continue
                inside = row.path + b"/"
                gone = [name for name in self._names if name.startswith(inside)]
                self._names.difference_update(gone, [row.path])
            elif row.kind is Kind.CREATED:
                self._names.add(row.path)
            self._belief.apply(row, is_belated=True)


@pytest.mark.parametrize("first", range(0, examples(3 * SEQUENCES), SEQUENCES))
def test_a_difference_and_a_listing_in_slices_are_followed_by_what_came_since(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_listing, "NAMES_PER_PART", 1)
    monkeypatch.setattr(directory_listing, "PACKED_PER_PART", 1)
    for seed in range(first, first + SEQUENCES):
        try:
            Reader(Random(seed)).run()
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}: {wrong}") from wrong
