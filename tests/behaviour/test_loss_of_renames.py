"""Ten thousand random renames of files and directories inside one watched tree."""

import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

import gamin
from gamin import Event
from testkit.watches import SOON, moved

pytestmark = pytest.mark.usefixtures("own_server")

RENAMES = 10_000
AT_ONCE = 100
"""Renames in a row: so few that neither the kernel's queue nor the client's socket is
full: a client that is behind receives the difference, which has no renames."""


@dataclass(eq=False)
class Entry:
    above: "Entry | None"
    name: str
    is_dir: bool = True

    @property
    def path(self) -> str:
        return f"{self.above.path}/{self.name}" if self.above else self.name

    def is_in(self, folder: "Entry") -> bool:
        entry: Entry | None = self
        while entry is not None and entry is not folder:
            entry = entry.above
        return entry is folder


class Tree:
    """Nested directories with files; all but the top can be renamed."""

    def __init__(self, root: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._top = Entry(None, str(root))
        self._folders = [Entry(self._top, f"folder-{n}") for n in range(20)]
        self._files = [
            Entry(folder, f"file-{n}", is_dir=False)
            for folder in self._folders
            for n in range(5)
        ]
        for folder in self._folders:
            os.mkdir(folder.path)
        for file in self._files:
            Path(file.path).touch()
        self._names = 0

    def rename(self) -> Event:
        """Rename something to a name that is free; return the event to expect."""
        self._names += 1
        is_dir = self._random.random() < 0.2
        entry = self._random.choice(self._folders if is_dir else self._files)
        source = entry.path
        places = [f for f in (self._top, *self._folders) if not f.is_in(entry)]
        entry.above, entry.name = self._random.choice(places), f"name-{self._names}"
        os.rename(source, entry.path)
        return moved(Path(source), Path(entry.path), is_dir=is_dir)


def test_ten_thousand_renames_are_one_event_each_in_order_with_both_names(
    tmp_path: Path,
) -> None:
    tree = Tree(tmp_path, seed=1)
    with gamin.watch(tmp_path, timeout=SOON) as watch:
        for _ in range(RENAMES // AT_ONCE):
            done = [tree.rename() for _ in range(AT_ONCE)]
            reported: list[Event] = []
            while len(reported) < len(done):
                reported += next(watch)
            assert reported == done
