"""What may happen in a tree, at a few places; also as a program that makes it happen.

Imports little, since that program is to be at work soon: what is watched, and what is
believed afterwards, is left to the tests.
"""

import random
import shutil
import sys
from pathlib import Path

from testkit.actions.renameat2 import RENAME_EXCHANGE, RENAME_WHITEOUT, renameat2

# Few, so that the same ones come and go often.
PLACES = ("a", "b", "c", "a/a", "a/b", "b/a", "a/a/a")
VERBS = {
    "touch": 1,
    "mkdir": 1,
    "remove": 1,
    "rename": 2,
    "swap": 2,
    "exchange": 2,
    "whiteout": 2,
}  # and how many
STEPS = 2000


def perform(step: tuple[str, ...], root: Path, outside: Path) -> None:
    """Do one thing, if it can be done."""
    places = [root / path for path in step[1:]]
    try:
        match step[0]:
            case "touch":
                places[0].touch()
            case "mkdir":
                places[0].mkdir()
            case "remove" if places[0].is_dir():
                shutil.rmtree(places[0])
            case "remove":
                places[0].unlink()
            case "rename":
                places[0].rename(places[1])
            case "swap":
                places[0].rename(root / "t")
                places[1].rename(places[0])
                (root / "t").rename(places[1])
            case "exchange":
                renameat2(places[0], places[1], RENAME_EXCHANGE)
            case "whiteout":
                renameat2(places[0], places[1], RENAME_WHITEOUT)
            case "away":
                places[0].rename(outside / "x")
            case "back":
                (outside / "x").rename(places[0])
    except OSError:
        return


def main(seed: str, root: str) -> None:
    """Do much, in an order that `seed` decides."""
    chance = random.Random(int(seed))
    for _ in range(STEPS):
        verb = chance.choice(list(VERBS))
        step = (verb, *chance.choices(PLACES, k=VERBS[verb]))
        perform(step, Path(root), Path(root))


if __name__ == "__main__":
    main(*sys.argv[1:])
