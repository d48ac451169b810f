"""A program that does random things to a tree, as fast as it can.

Told through its standard input how many; it answers with a line when they are done.
What is watched, and whether all of it is noticed, is left to `soak`.
"""

import os
import random
import shutil
import sys
from contextlib import suppress
from pathlib import Path

NAMES = ("a", "b", "c", "d", "e", "f", "two words", "\udcff", "ü", "x" * 100)
DEEPEST = 5
LINKED = 12345
"""The group of files that have had several names: see `testkit.beliefs.watch`."""


class Scribbler:
    def __init__(self, root: Path, outside: Path, seed: int) -> None:
        """Works below `root`, and renames things to and from `outside`."""
        self._root = root
        self._outside = outside
        self._ours = (root.resolve(), outside.resolve())
        self._random = random.Random(seed)
        self._acts = (
            *(self.create, self.create, self.write, self.write, self.replace),
            *(self.delete, self.delete, self.mkdir, self.makedirs, self.rename),
            *(self.rename, self.rename, self.rename_out, self.rename_in),
            *(self.link, self.symlink, self.chmod, self.empty, self.hammer),
            *(self.swap, self.recreate, self.files),
        )

    def act(self) -> None:
        """One operation; what is impossible just now does not happen."""
        with suppress(OSError):
            self._random.choice(self._acts)()

    def _path(self, root: Path | None = None) -> Path:
        depth = min(self._random.randint(1, DEEPEST), self._random.randint(1, DEEPEST))
        path = (root or self._root).joinpath(*self._random.choices(NAMES, k=depth))
        # Links lead upwards, and what is above is not ours.
        for real in map(os.path.realpath, (path.parent, path)):
            if not any(Path(real).is_relative_to(ours) for ours in self._ours):
                raise PermissionError(real)
        return path

    def create(self) -> None:
        self._path().touch()

    def write(self) -> None:
        path = self._path()
        if path.is_file():
            path.write_bytes(self._random.randbytes(self._random.randint(0, 50)))

    def hammer(self) -> None:
        path = self._path()
        if path.is_file():
            for number in range(self._random.choice((5, 30))):
                with path.open("ab") as file:
                    file.write(b"%d" % number)

    def replace(self) -> None:
        path = self._path()
        new = path.with_name(path.name + ".new")
        new.write_bytes(self._random.randbytes(10))
        new.rename(path)

    def delete(self) -> None:
        self._path().unlink()

    def mkdir(self) -> None:
        self._path().mkdir()

    def makedirs(self) -> None:
        path = self._path()
        path.mkdir(parents=True, exist_ok=True)
        (path / self._random.choice(NAMES)).touch()

    def files(self) -> None:
        """Some short-lived, some not."""
        folder = self._path()
        for number in range(self._random.choice((3, 20))):
            path = folder / f"file{number}"
            path.touch()
            if self._random.random() < 0.5:
                path.unlink()

    def empty(self) -> None:
        """Remove a directory with all in it; seldom one near the root."""
        path = self._path()
        if len(path.relative_to(self._root).parts) > 1 or self._random.random() < 0.3:
            shutil.rmtree(path)

    def rename(self) -> None:
        self._path().rename(self._path())

    def rename_out(self) -> None:
        self._path().rename(self._path(self._outside))

    def rename_in(self) -> None:
        self._path(self._outside).rename(self._path())

    def swap(self) -> None:
        """Two directories or files change places."""
        a, b = self._path(), self._path()
        third = self._root / "third"
        a.rename(third)
        try:
            b.rename(a)
        finally:
            third.rename(b)

    def recreate(self) -> None:
        """Made, renamed and made again, before anybody can look."""
        path, other = self._path(), self._path()
        path.mkdir()
        (path / "one").touch()
        path.rename(other)
        path.mkdir()
        (path / "two").touch()

    def link(self) -> None:
        old = self._path()
        os.chown(old, -1, LINKED, follow_symlinks=False)
        self._path().hardlink_to(old)

    def symlink(self) -> None:
        targets = (self._path(), Path(self._random.choice(NAMES)), Path(".."))
        self._path().symlink_to(self._random.choice(targets))

    def chmod(self) -> None:
        self._path().chmod(self._random.choice((0o600, 0o755, 0o700, 0o644)))


def main() -> None:
    root, outside, seed = sys.argv[1:]
    scribbler = Scribbler(Path(root), Path(outside), int(seed))
    for line in sys.stdin:
        for _ in range(int(line)):
            scribbler.act()
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o022)
    main()
