"""Tries the promises of docs/guarantees.md at full size, and measures their cost.

    python -m bench.promises [NAME…]

The tests check the same promises at a small size, without figures. Each
line is one promise: what was right, and how long it took or how much it was. Exit
status 1 if something was wrong.
"""

import argparse
import os
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import gamin
from gamin import Kind, Watch
from gamin.core.model.tree import TOUCH_LIMIT
from testkit.beliefs.watch import Belief, differences, there
from testkit.server_state import resident, status, stopped_server
from testkit.watches import kill_server, serving

PATIENCE = 120.0

Findings = Iterator[tuple[str, bool]]
"""What was found, and whether it is right."""
Promise = Callable[[Path], Findings]


def make_files(folder: Path, count: int, prefix: str = "file") -> list[str]:
    paths = [f"{folder}/{prefix}-{number}" for number in range(count)]
    for path in paths:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    return paths


def make_folders(folder: Path, count: int, width: int = 100) -> None:
    for number in range(count):
        if number % width == 0:
            group = folder / f"group-{number // width}"
            group.mkdir(parents=True)
        os.mkdir(group / str(number))


def received_from(watch: Watch, count: int) -> Counter[str]:
    """Read a watch until it has reported `count` creations; return these by path."""
    received: Counter[str] = Counter()
    while received.total() < count:
        received.update(e.path for e in next(watch) if e.kind is Kind.CREATED)
    return received


def stopped(place: Path) -> Findings:
    """20,000 files while the server is stopped."""
    with gamin.watch(place, timeout=PATIENCE) as watch:
        with stopped_server():
            paths = make_files(place, 20_000)
        began = time.perf_counter()
        received = received_from(watch, len(paths))
        spent = time.perf_counter() - began
        lost = status().recoveries
    yield (
        f"{len(received):,} of {len(paths):,} known, in {spent:.2f} s",
        set(received) == set(paths),
    )
    yield f"{received.total() - len(received)} twice", received.total() == len(received)
    yield f"{lost.overflows} overflows, {lost.rescans} rescans", lost.overflows > 0


def twentieth(place: Path) -> Findings:
    """The twentieth client of a tree of 2,000 directories."""
    make_folders(place, 2000)
    spent = []
    with ExitStack() as several:
        several.enter_context(gamin.watch(place))
        watches = status().watches.kernel
        for _ in range(19):
            began = time.perf_counter()
            several.enter_context(gamin.watch(place))
            spent.append(time.perf_counter() - began)
        more = status().watches.kernel - watches
    yield f"{watches:,} watches, {more} more for 19 more clients", more == 0
    yield (
        f"the twentieth is ready after {spent[-1] * 1e3:.1f} ms "
        f"(median of the 19: {median(spent) * 1e3:.1f} ms)",
        spent[-1] < 0.02,
    )


def ignored(place: Path) -> Findings:
    """400 files in 20 directories beside 60,000 directories that git ignores."""
    make_folders(place / "node_modules", 60_000)
    for number in range(20):
        (place / f"src/{number}").mkdir(parents=True)
        make_files(place / f"src/{number}", 20)
    (place / ".gitignore").write_text("node_modules/\n")
    with gamin.watch(place, recursive=False):
        ways = status().watches.kernel
    began = time.perf_counter()
    with gamin.watch(place, vcs_ignore=True):
        spent = time.perf_counter() - began
        more = status().watches.kernel - ways
    yield f"{more} watches more than for the directory itself", more <= 21
    yield f"ready after {spent * 1e3:.1f} ms", spent < 2


def slow(place: Path) -> Findings:
    """Memory while one client receives 600,000 changes and another does not read."""
    files = make_files(place, 400, "long-" * 40)

    def flood(reader: Watch, rounds: int) -> int:
        before = resident(status().pid)
        for number in range(rounds):
            for file in files:
                os.truncate(file, number % 2)
            end = place / f"end-{uuid.uuid4()}"
            end.touch()
            while not any(event.path == str(end) for event in next(reader)):
                pass
        return resident(status().pid) - before

    with gamin.watch(place, timeout=PATIENCE) as reader:
        flood(reader, 100)
        alone = flood(reader, 1500)
        with gamin.watch(place, initial=True, timeout=PATIENCE) as slow:
            belief = Belief(place)
            belief.take(next(slow))
            beside = flood(reader, 1500)
            while differences(belief.top, there(place)):
                belief.take(next(slow))
    mebibyte = 1 << 20
    yield (
        f"{alone / mebibyte:.1f} MiB more with a client that reads, "
        f"{beside / mebibyte:.1f} MiB beside one that does not",
        beside - alone < 4 * mebibyte,
    )
    yield "it receives the difference when it reads again", not belief.contradictions


def killed(place: Path) -> Findings:
    """The server is killed while 100 of 1,000 files change."""
    paths = make_files(place, 1000)
    spent = []
    belief = Belief(place)
    with gamin.watch(place, initial=True, timeout=PATIENCE) as watch:
        belief.take(next(watch))
        for number in range(10):
            kill_server()
            for path in random.Random(number).sample(paths, 100):
                Path(path).write_text(str(number) * (number + 1))
            began = time.perf_counter()
            while differences(belief.top, there(place)):
                belief.take(next(watch))
            spent.append(time.perf_counter() - began)
    yield (
        f"right {median(spent):.2f} s after it is asked again (another server is "
        f"started and lists it; {max(spent):.2f} s at most)",
        max(spent) < 1,
    )
    yield "no event contradicts an earlier one", not belief.contradictions


def forgotten(place: Path) -> Findings:
    """A clock from before more deletions than the server remembers."""
    with gamin.watch(place, timeout=PATIENCE) as watch:
        clock = watch.clock
        kept = make_files(place, 10)
        made = 0
        while made < 2 * TOUCH_LIMIT:
            for path in make_files(place, 5000, f"short-lived-{made}"):
                os.unlink(path)
            made += 5000
            end = place / f"end-{made}"
            end.touch()
            kept.append(str(end))
            while not any(event.path == str(end) for event in next(watch)):
                pass
    with gamin.watch(place, since=clock, timeout=PATIENCE) as watch:
        received = next(watch)
    is_marked = {(e.kind, e.recovered) for e in received} == {(Kind.EXISTS, True)}
    yield f"a list of {len(received)} names, marked as such", is_marked
    yield "and nothing else", {e.path for e in received} == set(kept)


PROMISES: tuple[Promise, ...] = (stopped, twentieth, ignored, slow, killed, forgotten)
NO_FLOW = """\
flow reports_per_second 1000000
flow churn_per_second 1000000
flow raw_events_per_second 1000000
"""
"""Otherwise what changes so often is reported once a second, without a flood."""


def keep(promise: Promise) -> bool:
    """Try one promise with a server of its own; return whether all was right."""
    print(f"{promise.__name__}: {promise.__doc__}")
    is_pinned = True
    with tempfile.TemporaryDirectory(prefix="gamin-promises-") as place:
        home, tree = Path(place) / "home", Path(place) / "tree"
        home.mkdir()
        tree.mkdir()
        (home / ".gaminrc").write_text(NO_FLOW)
        os.environ["HOME"] = str(home)
        with serving(f"promises-{uuid.uuid4()}"):
            for found, is_right in promise(tree):
                print(f"  {found}" if is_right else f"  {found}  <-- WRONG")
                is_pinned &= is_right
    return is_pinned


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.promises")
    names = [promise.__name__ for promise in PROMISES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    wanted = parser.parse_args().names
    if unknown := set(wanted) - set(names):
        parser.error(f"no such promise: {', '.join(unknown)}")
    kept = [keep(each) for each in PROMISES if each.__name__ in (wanted or names)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
