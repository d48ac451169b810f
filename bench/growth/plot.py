"""A chart as SVG: costs over sizes, which are on a logarithmic scale.

Pure, and only lines and words: it is to be read, and to be compared in a diff.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 40, 52, 44
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#8250df")
STEPS = 5  # lines across, at round numbers


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    across: str
    """What the sizes count."""
    unit: str
    lines: Mapping[str, Points]
    """By what they show."""

    def svg(self) -> str:
        return "\n".join(_elements(self)) + "\n"


@dataclass(frozen=True, slots=True)
class _Scale:
    """From sizes and costs to places in the chart. Costs begin at 0, so that what
    does not grow looks flat."""

    low: float
    high: float
    top: float

    @classmethod
    def of(cls, lines: Mapping[str, Points]) -> "_Scale":
        sizes = [_log(size) for points in lines.values() for size, _ in points]
        most = max(cost for points in lines.values() for _, cost in points)
        step = round_step(most / STEPS)
        return cls(min(sizes), max(sizes), step * math.ceil(most / step) or 1.0)

    def x(self, size: float) -> float:
        part = (_log(size) - self.low) / ((self.high - self.low) or 1)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, cost: float) -> float:
        return HEIGHT - BOTTOM - cost / self.top * (HEIGHT - TOP - BOTTOM)


def round_step(least: float) -> float:
    """The next of 1, 2, 5, 10, … that is not smaller."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= least * 0.999)


def _log(size: float) -> float:
    return math.log10(max(size, 1))


def _elements(chart: Chart) -> Iterator[str]:
    scale = _Scale.of(chart.lines)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
    )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    yield _text(LEFT, 18, f"{chart.title} ({chart.unit})", "start", 'font-size="14"')
    yield from _grid(chart, scale)
    for number, (name, points) in enumerate(chart.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        yield from _line(points, scale, colour)
        place = LEFT + number * (WIDTH - LEFT - RIGHT) / len(chart.lines)
        yield _text(place, 36, name, "start", f'fill="{colour}"')
    yield "</svg>"


def _grid(chart: Chart, scale: _Scale) -> Iterator[str]:
    step = round_step(scale.top / STEPS * 0.999)
    for number in range(round(scale.top / step) + 1):
        y = scale.y(number * step)
        yield (
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#d0d7de" fill="none"/>'
        )
        yield _text(LEFT - 8, y + 4, f"{number * step:,g}", "end")
    for size in sorted({size for points in chart.lines.values() for size, _ in points}):
        yield _text(scale.x(size), HEIGHT - BOTTOM + 18, f"{size:,.0f}", "middle")
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield _text(middle, HEIGHT - 8, chart.across, "middle")


def _line(points: Points, scale: _Scale, colour: str) -> Iterator[str]:
    places = [f"{scale.x(size):.1f},{scale.y(cost):.1f}" for size, cost in points]
    yield (
        f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" '
        'stroke-width="2"/>'
    )
    for place in places:
        x, y = place.split(",")
        yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    attributes = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}'.rstrip()
    return f"<text {attributes}>{escape(words)}</text>"
