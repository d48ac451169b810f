"""Makes the text of docs/benchmarks.md from what one or more runs kept.

Tables come from `bench.results`; nothing is measured here.
"""

from collections.abc import Iterator
from typing import Any

from bench.peers.all import PEERS
from bench.results import YARDSTICK, Row, table
from bench.work.all import WORKS
from bench.work.size import Size

Kept = dict[str, Any]  # what one run wrote as JSON

INTRODUCTION = """\
# Benchmarks

Written by `python -m bench --write`; change `bench/`, not this page. Every figure is
the median of the repetitions. The figure in brackets is the ratio to a raw C inotify
reader at the same work in the same repetition (the median of these ratios). Compare
ratios between machines, not seconds. `-` means that there is nothing to measure.

Latencies differ between machines even as ratios, because the kernel decides on which
core it wakes a process. A process that is woken on the core of its waker runs after
some 8 µs; one on another core that sleeps runs after 60 to 90 µs. Left to itself, the
kernel places some watchers on the core of the writer, but rarely a server and its
client. "Latency across cores" gives every watcher the same conditions: compare there.
`least` and `least-relay` make only the necessary system calls, in one process and in
two. They are not tools but lower bounds.

The build of Python matters as well. With Debian's Python, our server and client took 5
to 14 % less CPU (set-up, archive; storm) than with one compiled with the defaults.

What Watchman's clients ask, beside Watchman, has
[a page of its own](watchman.md#what-it-costs). [Growth](growth.md) shows how the cost
grows with what is watched, to a million directories.
"""


def document(runs: list[Kept]) -> str:
    return "\n".join(_lines(runs)) + "\n"


def _lines(runs: list[Kept]) -> Iterator[str]:
    yield INTRODUCTION
    for run in runs:
        yield from _circumstances(run)
    yield ""
    yield from _peers(runs)
    for index, run in enumerate(runs):
        rows = _current(run, runs[index + 1 :])
        size = Size(**run["size"])
        for name, work in WORKS.items():
            own = [row for row in rows if row.work == name]
            if any(row.values and row.peer != YARDSTICK for row in own):
                yield from ["", f"## {work.title}", "", work.about(size), ""]
                yield from table(work.columns, own)


def _current(run: Kept, later: list[Kept]) -> list[Row]:
    """The rows of a run, except those that a later run measured again. The yardstick's
    rows belong to those beside which they were measured."""
    again = {(row["work"], row["peer"]) for other in later for row in other["rows"]}
    rows = [Row(**row) for row in run["rows"]]
    return [r for r in rows if r.peer == YARDSTICK or (r.work, r.peer) not in again]


def _circumstances(run: Kept) -> Iterator[str]:
    repeats = max((row["repeat"] for row in run["rows"]), default=0) + 1
    yield f"- {run['date']}: `{run['command']}`, {repeats} repetitions"
    yield f"  - {run['machine']}; {run['system']}; Python {run['python']}"
    yield f"  - files in {run['place']}; inotify queue of {run['queue']} events"


def _peers(runs: list[Kept]) -> Iterator[str]:
    yield "| watcher | what it is | version |"
    yield "| --- | --- | --- |"
    used = {row["peer"] for run in runs for row in run["rows"]}
    for name, peer in PEERS.items():
        if name in used:
            versions = {run["versions"].get(name, "") for run in runs} - {""}
            yield f"| {name} | {peer.about} | {', '.join(sorted(versions))} |"
