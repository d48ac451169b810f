"""The page that `gamin report` writes: one HTML file that loads nothing."""

import html
import math
import time
from collections import Counter
from collections.abc import Iterator

from gamin import __version__
from gamin.cli.heat_map import Cell, HeatMap, heat_map
from gamin.cli.recording import Recording
from gamin.events import Kind
from gamin.paths import printable

MAX_BUSIEST = 25
"""Rows of the table of the busiest paths."""

LEVELS = 8
"""Colours of cells, in steps of a logarithmic scale."""

MAX_LABEL = 42
"""Characters of a directory that are shown; the beginning is cut off."""

_LABEL_WIDTH, _ROW, _COLUMN, _AXIS = 330, 18, 8, 26
"""Sizes in the chart, in pixels."""

KINDS = (Kind.CREATED, Kind.CHANGED, Kind.DELETED, Kind.MOVED, Kind.EXISTS)

_STYLE = (
    """
:root { color-scheme: light dark; --text: #1d2530; --soft: #667; --back: #fff;
  --line: #dde2ea; --cell: #f1f4f8; --c1: #cfe3f8; --c2: #a5ccf0; --c3: #7cb4e6;
  --c4: #4f97d6; --c5: #f2c14e; --c6: #ee9a3a; --c7: #e06a2c; --c8: #c0321f; }
@media (prefers-color-scheme: dark) { :root { --text: #dfe6ef; --soft: #8d99a8;
  --back: #14181d; --line: #2b333d; --cell: #1b2027; --c1: #17324d; --c2: #1d4a74;
  --c3: #24639c; --c4: #3b86c8; --c5: #b98a1e; --c6: #d08322; --c7: #e0662a;
  --c8: #ff4b33; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text);
  background: var(--back); margin: 2rem auto; max-width: 1340px; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: .8rem 2.4rem; margin: 1.2rem 0 0; }
.facts div { min-width: 6rem; } .facts b { display: block; font-size: 1.35rem;
  font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
svg { display: block; font: 12px ui-monospace, monospace; }
svg text { fill: var(--text); } svg .soft { fill: var(--soft); }
svg .track { fill: var(--cell); } svg line { stroke: var(--line); }
svg .cell:hover { stroke: var(--text); stroke-width: 1.5; }
"""
    + "".join(
        f".l{n} {{ fill: var(--c{n}); background: var(--c{n}); }}\n"
        for n in range(1, LEVELS + 1)
    )
    + """
.key { display: flex; align-items: center; gap: .2rem; margin: .6rem 0; }
.key i { width: 1.6rem; height: .8rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; text-align: right;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:first-child { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
"""
)


def page(recording: Recording, title: str) -> Iterator[str]:
    """The parts of the page, in their order."""
    changes = [(change.time, change.event.path) for change in recording.changes]
    grid = heat_map(changes, recording.started)
    yield (
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width'>\n"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{html.escape(printable(title))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    yield f"<h1>{_text(title)}</h1>\n"
    watched = ", ".join(_text(path) for path in recording.paths)
    yield f"<p class='soft'>Changes at {watched}, from {_moment(grid.start)}</p>\n"
    yield from _facts(recording, grid)
    if changes:
        yield "<h2>Directories by time</h2>\n"
        yield from _key(grid)
        yield from _picture(grid)
        yield "<h2>Busiest paths</h2>\n"
        yield from _table(recording)
    yield f"<p class='soft'>gamin {__version__}</p>\n</body>\n</html>\n"


def _facts(recording: Recording, grid: HeatMap) -> Iterator[str]:
    changes = recording.changes
    last = changes[-1].time if changes else grid.start
    by_second = Counter(int(change.time) for change in changes)
    facts = {
        "changes": f"{len(changes):,}",
        "paths": f"{len({change.event.path for change in changes}):,}",
        "until the last change": _duration(max(0.0, last - grid.start)),
        "changes in the busiest second": f"{max(by_second.values(), default=0):,}",
    }
    recovered = sum(change.event.recovered for change in changes)
    if recovered:
        facts["lost and found again"] = f"{recovered:,}"
    if recording.damaged:
        facts["damaged lines"] = f"{recording.damaged:,}"
    yield "<div class='facts'>"
    for name, value in facts.items():
        yield f"<div><b>{value}</b>{name}</div>"
    yield "</div>\n"


def _key(grid: HeatMap) -> Iterator[str]:
    most = max(cell.changes for cell in grid.cells) / grid.span
    yield "<div class='key soft'>few&nbsp;"
    yield from (f"<i class='l{level}'></i>" for level in range(1, LEVELS + 1))
    yield f"&nbsp;{_rate(most)} changes a second"
    yield f"; a column is {_duration(grid.span)}</div>\n"


def _picture(grid: HeatMap) -> Iterator[str]:
    width = _LABEL_WIDTH + grid.columns * _COLUMN + 70
    height = _AXIS + len(grid.rows) * _ROW + 4
    yield f"<div class='scroll'><svg width='{width}' height='{height}' role='img'>\n"
    yield from _axis(grid, height)
    for number, (row, total) in enumerate(zip(grid.rows, grid.totals, strict=True)):
        top = _AXIS + number * _ROW
        label = printable(row.label)
        short = label if len(label) <= MAX_LABEL else "…" + label[1 - MAX_LABEL :]
        track = grid.columns * _COLUMN
        yield (
            f"<text x='{_LABEL_WIDTH - 10}' y='{top + 13}' text-anchor='end'>"
            f"{html.escape(_isolated(short))}<title>{html.escape(label)}</title></text>"
            f"<rect class='track' x='{_LABEL_WIDTH}' y='{top + 1}' width='{track}' "
            f"height='{_ROW - 2}'/>"
            f"<text class='soft' x='{_LABEL_WIDTH + track + 8}' y='{top + 13}'>"
            f"{total:,}</text>\n"
        )
    most = max(cell.changes for cell in grid.cells)
    for cell in grid.cells:
        yield _cell(cell, grid, most)
    yield "</svg></div>\n"


def _axis(grid: HeatMap, height: int) -> Iterator[str]:
    step = _round_step(grid.span * grid.columns / 8)
    tick = 0.0
    while tick <= grid.span * grid.columns:
        x = _LABEL_WIDTH + tick / grid.span * _COLUMN
        yield (
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_AXIS - 6}' y2='{height}'/>"
            f"<text class='soft' x='{x:.1f}' y='14'>{_duration(tick)}</text>\n"
        )
        tick += step


def _cell(cell: Cell, grid: HeatMap, most: int) -> str:
    begin = cell.column * grid.span
    names = "".join(f"\n{printable(name)} ({count})" for name, count in cell.names)
    more = cell.changes - sum(count for _, count in cell.names)
    if more:
        names += f"\n… and {more:,} other changes"
    hover = (
        f"{printable(grid.rows[cell.row].label)}\n{cell.changes:,} changes from "
        f"{_duration(begin)} to {_duration(begin + grid.span)}{names}"
    )
    x = _LABEL_WIDTH + cell.column * _COLUMN
    y = _AXIS + cell.row * _ROW + 1
    return (
        f"<rect class='cell l{level(cell.changes, most)}' x='{x}' y='{y}' "
        f"width='{_COLUMN - 1}' height='{_ROW - 2}'>"
        f"<title>{html.escape(hover)}</title></rect>\n"
    )


def level(count: int, most: int) -> int:
    """The colour of a cell, from 1 to LEVELS."""
    if most <= 1:
        return LEVELS // 2
    return 1 + round((LEVELS - 1) * math.log(count) / math.log(most))


def _table(recording: Recording) -> Iterator[str]:
    counts: dict[str, Counter[Kind]] = {}
    for change in recording.changes:
        counts.setdefault(change.event.path, Counter())[change.event.kind] += 1
    busiest = sorted(counts, key=lambda path: (-counts[path].total(), path))
    heads = "".join(f"<th>{kind.value}</th>" for kind in KINDS)
    yield f"<div class='scroll'><table><tr><th>path</th><th>changes</th>{heads}</tr>\n"
    for path in busiest[:MAX_BUSIEST]:
        one = counts[path]
        cells = "".join(f"<td>{one[kind] or ''}</td>" for kind in KINDS)
        yield f"<tr><td>{_text(path)}</td><td>{one.total():,}</td>{cells}</tr>\n"
    yield "</table></div>\n"
    if len(busiest) > MAX_BUSIEST:
        yield f"<p class='soft'>and {len(busiest) - MAX_BUSIEST:,} other paths</p>\n"


def _text(name: str) -> str:
    """A name in HTML; its direction of writing cannot reorder what stands around it."""
    return f"<bdi>{html.escape(printable(name))}</bdi>"


def _isolated(text: str) -> str:
    """The same for SVG, which has no <bdi>: U+2066 and U+2069."""
    return f"\u2066{text}\u2069"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds))


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def _round_step(least: float) -> float:
    """A step of at least so many seconds that people count in."""
    for step in (
        0.1,
        0.2,
        0.5,
        1,
        2,
        5,
        10,
        15,
        30,
        60,
        120,
        300,
        600,
        900,
        1800,
        3600,
    ):
        if step >= least:
            return step
    return math.ceil(least / 3600) * 3600
