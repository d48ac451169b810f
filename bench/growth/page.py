"""Makes the text of docs/growth.md and its charts from what a run kept.

Nothing is measured here.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.growth.curves import CURVES, Curve
from bench.growth.load import ROUNDS
from bench.growth.plot import Chart
from bench.growth.points import FILES_EACH, NAMED_TREE, Point
from bench.results import Column, Unit, show
from gamin.backends.inotify import RESERVED_PERCENT

Kept = dict[str, Any]  # what a run wrote as JSON
Points = Sequence[tuple[int, Point]]

MILLION = 1_000_000
# linux/fs/notify/inotify/inotify_user.c, inotify_user_setup: a percent of the memory
# at INOTIFY_WATCH_COST, and never more than this.
MAX_BY_DEFAULT = 1_048_576

INTRODUCTION = f"""\
# Growth

Written by `make growth`; change `bench/growth`, not this page. Each section makes one
thing larger and measures the cost of one change: processor time of the server, from its
wake-up to the message it sends. That cost must not grow. *A change alone* wakes the
server up for itself. *One of a burst* comes with hundreds of others at full speed. Each
figure is the cheapest of {ROUNDS} rounds; a difference of less than a half means
nothing. Flow control is off, because it would prevent the reports. Every point has a
server of its own. The pictures show sizes on a logarithmic scale, and costs on a linear
one that begins at 0.
"""


def points_of(kept: Kept, name: str) -> Points:
    return [(each["size"], each["values"]) for each in kept["curves"].get(name, [])]


def pictures(kept: Kept) -> dict[str, str]:
    """SVG by file name."""
    charts = {
        name: _chart(curve, points)
        for name, curve in CURVES.items()
        if (points := points_of(kept, name))
    }
    return {f"{name}.svg": chart.svg() for name, chart in charts.items()}


def page(kept: Kept) -> str:
    return "\n".join(_lines(kept)) + "\n"


def updated(text: str, kept: Kept) -> str:
    """The page with the curves of another run in the place of their sections, or among
    the others. If the run measured all curves, the page is its own."""
    if set(kept["curves"]) == set(CURVES):
        return page(kept)
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_title = {each.partition("\n")[0][3:]: each for each in sections}
    for name in kept["curves"]:
        lines = _section(name, points_of(kept, name), _origin(kept))
        by_title[CURVES[name].title] = "\n".join(lines).lstrip() + "\n\n"
    titles = [curve.title for curve in CURVES.values()]
    titles += [title for title in by_title if title not in titles]
    parts = [head, *(by_title[title] for title in titles if title in by_title)]
    return "".join(parts).rstrip() + "\n"


def _chart(curve: Curve, points: Points) -> Chart:
    lines = {
        column.title: [
            (size, values[column.key] * 1e6)
            for size, values in points
            if column.key in values
        ]
        for column in curve.must_be_flat
    }
    return Chart(f"{curve.title}: CPU of the server", curve.of, "µs", lines)


def _lines(kept: Kept) -> Iterator[str]:
    yield INTRODUCTION
    yield from _origin(kept)
    for name in CURVES:
        points = points_of(kept, name)
        if points:
            yield from _section(name, points)
    tree, named = points_of(kept, "directories"), points_of(kept, "names")
    if len(tree) > 1 and len(named) > 1:
        yield from ["", "## A million directories", "", *_million(tree, named)]


def _origin(kept: Kept) -> list[str]:
    """Where the figures are from."""
    return [
        f"- {kept['date']}: `{kept['command']}`, {kept['seconds']:.0f} s",
        f"- {kept['machine']}; {kept['system']}; Python {kept['python']}",
        f"- files in {kept['place']}",
    ]


def _section(name: str, points: Points, origin: Sequence[str] = ()) -> Iterator[str]:
    """`origin`: of these points, if it is not that of the page."""
    curve = CURVES[name]
    yield from ["", f"## {curve.title}", "", curve.about, ""]
    if origin:
        yield from [*origin, ""]
    yield from _table(curve, points)
    yield from ["", *_verdicts(curve, points), ""]
    yield f"![{_chart_title(curve)}](growth/{name}.svg)"


def _chart_title(curve: Curve) -> str:
    is_change = any(column.key == "alone" for column in curve.columns)
    return "CPU of the server for one change" if is_change else "CPU of the server"


def _table(curve: Curve, points: Points) -> Iterator[str]:
    titles = [curve.of, *(column.title for column in curve.columns)]
    yield "| " + " | ".join(titles) + " |"
    yield "| " + " | ".join(["---:"] * len(titles)) + " |"
    for size, values in points:
        cells = [f"{size:,}", *(_cell(column, values) for column in curve.columns)]
        yield "| " + " | ".join(cells) + " |"


def _cell(column: Column, values: Point) -> str:
    value = values.get(column.key)
    if value is None:
        return "-"
    if column.unit is Unit.BYTES:
        return _bytes(value)
    return show(value, column.unit)


def _bytes(value: float) -> str:
    if value < 2**20:
        return f"{max(value, 0) / 2**10:,.1f} KiB"
    return f"{value / 2**20:,.1f} MiB"


def _verdicts(curve: Curve, points: Points) -> Iterator[str]:
    """How much each cost grew from the smallest to the largest."""
    first, last = points[0], points[-1]
    for column in curve.must_be_flat:
        before, after = first[1][column.key], last[1][column.key]
        yield (
            f"- {column.title}: {show(after, Unit.SECONDS)} at {last[0]:,}, "
            f"{after / before:.2f} times that at {first[0]:,}"
        )


def _million(tree: Points, named: Points) -> Iterator[str]:
    """Straight on from the two largest trees, since all of it grows in proportion."""
    (few, low), (many, high) = tree[-2:]

    def slope(key: str) -> float:
        return (high[key] - low[key]) / (many - few)

    (_, bare), (files, full) = named[0], named[-1]
    names = NAMED_TREE * files

    def per_name(key: str) -> float:
        return (full[key] - bare[key]) / names

    def per_directory(key: str) -> float:
        return slope(key) - FILES_EACH * per_name(key)

    yield (
        f"Not measured, but extrapolated from {few:,} and {many:,} directories, "
        f"with {FILES_EACH} files each."
    )
    yield ""
    yield "| | for a directory | for a name of a file | for a million and its files |"
    yield "| --- | ---: | ---: | ---: |"
    for key, what in (("server_memory", "the server"), ("client_memory", "a client")):
        yield (
            f"| memory of {what} | {per_directory(key):,.0f} bytes "
            f"| {per_name(key):,.0f} bytes | {_bytes(slope(key) * MILLION)} |"
        )
    kernel = slope("kernel_memory")
    yield (
        f"| memory of the kernel, on tmpfs | {kernel:,.0f} bytes | 0 "
        f"| {_bytes(kernel * MILLION)} |"
    )
    yield (
        f"| until it is watched | {slope('setup') * 1e6:,.1f} µs | included "
        f"| {slope('setup') * MILLION:,.0f} s |"
    )
    yield ""
    yield (
        "A watch also keeps the inode of its directory in memory. On tmpfs the inode "
        "is in memory anyway; on a disk it takes about 1 KiB per directory: another "
        "GiB."
    )
    yield ""
    yield _limits(1 - RESERVED_PERCENT / 100)


def _limits(ours: float) -> str:
    need = -(-MILLION // ours)
    return (
        "The kernel's limit is `fs.inotify.max_user_watches`, for all processes of a "
        "user together. By default it is the number that fits into one percent of the "
        f"memory (at two inodes each), and never more than {MAX_BY_DEFAULT:,}. The "
        f"server uses {ours:.0%} of it and leaves the rest to others, so a million "
        f"directories need `sysctl fs.inotify.max_user_watches={need:.0f}` or more, "
        "even on the largest machine. The server polls the directories that find no "
        "room once per second, and returns them to the kernel when there is room. "
        "Nothing is lost, but each poll takes processor time in proportion to their "
        "number. The kernel's queue (`fs.inotify.max_queued_events`) does not grow "
        "with the tree; after an overflow the server lists every directory again."
    )
