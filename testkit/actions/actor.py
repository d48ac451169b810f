"""A random actor: changes the files of a tree as programs do, as fast as it can.

    python -m testkit.actions.actor TREE OUTSIDE SEED [NAMES [PLACE...]]

Reads from standard input how many acts to do, one number a line, and answers each with
a line when they are done. Renames also lead from the tree to `outside` and back. With
fewer NAMES the acts concern the same files more often. A fifth of the paths are below a
PLACE, a directory in the tree that the acts leave where it is.
"""

import os
import random
import sys
from collections.abc import Sequence
from contextlib import suppress

from testkit.actions.acts import Act, perform
from testkit.actions.real_disk import RealDisk

NAMES = (
    *(b"a", b"b", b"c", b"d", b"e", b"f"),
    *(b"two words", b"\xff", "ü".encode(), b"x" * 100),
)
DEEPEST = 5
"""The most names in a path."""

ONE_PATH = (
    *("touch", "touch", "write", "write", "write", "replace", "hammer", "map"),
    *("unlink", "unlink", "mkdir", "makedirs", "crowd", "chmod", "rmtree"),
)
TWO_PATHS = (
    *("rename", "rename", "rename", "swap", "exchange", "whiteout", "remake"),
    *("symlink", "link", "out", "in"),
)


class Actor:
    """Chooses random acts on paths below `root`."""

    def __init__(
        self,
        root: bytes,
        outside: bytes,
        seed: int,
        names: int = len(NAMES),
        places: Sequence[bytes] = (),
    ) -> None:
        self._root = root
        self._outside = outside
        self._random = random.Random(seed)
        self._names = NAMES[:names]
        self._places = places

    def choose(self) -> Act:
        verb = self._random.choice(ONE_PATH + TWO_PATHS)
        path = self._path(self._root)
        match verb:
            case "out":
                return Act("rename", path, self._path(self._outside))
            case "in":
                return Act("rename", self._path(self._outside), path)
            case "symlink":
                targets = (self._path(self._root), self._random.choice(NAMES), b"..")
                return Act(verb, path, self._random.choice(targets))
            case "rmtree" if path.count(b"/") == self._root.count(b"/") + 1:
                # Rarely near the root, or the tree would be nearly empty.
                return Act(verb if self._random.random() < 0.3 else "touch", path)
            case _ if verb in TWO_PATHS:
                return Act(verb, path, self._path(self._root))
        return Act(verb, path)

    def _path(self, above: bytes) -> bytes:
        if self._places and above == self._root and self._random.random() < 0.2:
            above = self._random.choice(self._places)
        depth = min(self._random.randint(1, DEEPEST), self._random.randint(1, DEEPEST))
        return b"/".join([above, *self._random.choices(self._names, k=depth)])


def main(
    root: str, outside: str, seed: str, names: str = str(len(NAMES)), *places: str
) -> None:
    os.umask(0o022)
    disk = RealDisk(root, outside)
    actor = Actor(
        os.fsencode(root),
        os.fsencode(outside),
        int(seed),
        int(names),
        [os.fsencode(place) for place in places],
    )
    for line in sys.stdin:
        for _ in range(int(line)):
            with suppress(OSError):
                perform(actor.choose(), disk)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
