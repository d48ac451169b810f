"""Charts: constant costs are flat, and everything is inside the frame."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.growth.plot import HEIGHT, LEFT, WIDTH, Chart, round_step

POINTS = st.lists(
    st.tuples(st.integers(0, 10**6), st.floats(0, 10**6)), min_size=1, max_size=8
)


def places(chart: Chart) -> list[list[tuple[float, float]]]:
    """Where each line goes through."""
    found = re.findall(r'polyline points="([^"]*)"', chart.svg())
    return [
        [(float(x), float(y)) for x, y in (each.split(",") for each in line.split())]
        for line in found
    ]


def a_chart(*lines: list[tuple[float, float]]) -> Chart:
    return Chart("cost", "sizes", "µs", {str(n): line for n, line in enumerate(lines)})


def test_a_constant_cost_is_a_level_line() -> None:
    [line] = places(a_chart([(1, 5.0), (10, 5.0), (100, 5.0)]))
    assert len({y for _, y in line}) == 1


def test_ten_times_as_much_is_the_same_step_everywhere() -> None:
    [line] = places(a_chart([(1, 1.0), (10, 1.0), (100, 1.0)]))
    (first, _), (second, _), (third, _) = line
    assert second - first == pytest.approx(third - second)
    assert first == LEFT


def test_twice_the_cost_is_twice_as_high_above_nothing() -> None:
    [line, nothing] = places(a_chart([(1, 2.0), (10, 4.0)], [(1, 0.0), (10, 0.0)]))
    (_, once), (_, twice) = line
    (_, ground), _ = nothing
    assert ground - twice == pytest.approx(2 * (ground - once))


@given(POINTS, POINTS)
def test_all_points_are_within_the_chart(
    one: list[tuple[float, float]], other: list[tuple[float, float]]
) -> None:
    chart = a_chart(one, other)
    ElementTree.fromstring(chart.svg())
    for line in places(chart):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)


def test_words_are_words_and_no_markup() -> None:
    svg = Chart("a < b & c", "<x>", "µs", {"<y>": [(1, 1.0)]}).svg()
    words = [each.text for each in ElementTree.fromstring(svg).iter()]
    assert {"a < b & c (µs)", "<x>", "<y>"} <= set(words)


@pytest.mark.parametrize(
    ("least", "step"), [(0.7, 1), (1, 1), (1.1, 2), (3, 5), (7, 10), (0.03, 0.05)]
)
def test_a_step_is_a_round_number(least: float, step: float) -> None:
    assert round_step(least) == pytest.approx(step)
