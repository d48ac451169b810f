"""The page of the curves, from figures that are known. Nothing is measured."""

from typing import Any

from bench.growth.curves import CURVES
from bench.growth.page import page, pictures, updated
from bench.growth.points import FILES_EACH

DIRECTORY, NAME = 600.0, 80.0  # bytes of the server's memory


def tree(directories: int, files: int, alone: float = 3e-5) -> dict[str, float]:
    """What a tree would cost if all grew in proportion."""
    memory = directories * DIRECTORY + files * NAME
    return {
        "setup": directories * 20e-6,
        "setup_cpu": directories * 19e-6,
        "server_memory": memory,
        "client_memory": memory / 4,
        "kernel_memory": directories * 100.0,
        "alone": alone,
        "burst": 2e-6,
    }


def kept(**curves: list[tuple[int, dict[str, float]]]) -> dict[str, Any]:
    return {
        "date": "2001-02-03",
        "command": "python -m bench.growth",
        "seconds": 80.0,
        "machine": "a machine",
        "system": "a system",
        "python": "3.11",
        "place": "/place (tmpfs)",
        "curves": {
            name: [{"size": size, "values": values} for size, values in points]
            for name, points in curves.items()
        },
    }


ALL = kept(
    directories=[
        (size, tree(size, FILES_EACH * size)) for size in (1_000, 10_000, 100_000)
    ],
    names=[(each, tree(10_000, 10_000 * each)) for each in (0, 10, 30)],
)


def test_a_million_is_drawn_straight_on() -> None:
    text = page(ALL)
    million = (DIRECTORY + FILES_EACH * NAME) * 1_000_000 / 2**20
    memory = f"600 bytes | 80 bytes | {million:,.1f} MiB"
    assert f"| memory of the server | {memory} |" in text
    assert "| until it is watched | 20.0 µs | included | 20 s |" in text
    assert "max_user_watches=1111112" in text


def test_a_projection_to_a_million_needs_two_trees() -> None:
    assert "million" not in page(kept(directories=[(1_000, tree(1_000, 2_000))]))


def test_growth_is_given_as_the_ratio_of_the_ends() -> None:
    points = [(10, tree(10, 0, alone=2e-5)), (1_000, tree(1_000, 0, alone=5e-5))]
    text = page(kept(directories=points))
    assert "- a change alone: 50.0 µs at 1,000, 2.50 times that at 10" in text
    assert "- one of a burst: 2.00 µs at 1,000, 1.00 times that at 10" in text


def test_a_missing_measurement_is_not_shown() -> None:
    only = kept(directories=[(1_000, tree(1_000, 2_000))])
    assert list(pictures(only)) == ["directories.svg"]
    assert CURVES["clients"].title not in page(only)


def test_every_chart_is_on_the_page() -> None:
    text = page(ALL)
    assert all(f"(growth/{name})" in text for name in pictures(ALL))


def test_a_value_that_a_point_has_not_is_a_dash() -> None:
    """The first client is what others are measured against."""
    one = {"alone": 1e-5, "alone_each": 1e-5, "burst": 1e-6, "burst_each": 1e-6}
    assert "| 1 | - | - | 10.0 µs |" in page(kept(clients=[(1, one)]))


REMEMBERED = {column.key: 1.0 for column in CURVES["remembered"].columns}


def test_a_run_of_one_curve_replaces_its_own_section_and_leaves_the_others() -> None:
    some = {**kept(remembered=[(10, REMEMBERED)]), "command": "one curve"}
    first, second = updated(page(ALL), some), page(ALL)
    title = f"## {CURVES['remembered'].title}\n"
    assert first.index("## Names in a tree") < first.index(title)
    assert first.index(title) < first.index("## A million directories")
    section = first[first.index(title) : first.index("## A million directories")]
    assert "`one curve`" in section
    assert first.replace(section, "") == second
    later = {**some, "curves": kept(remembered=[(77, REMEMBERED)])["curves"]}
    again = updated(first, later)
    assert "| 77 |" in again
    assert again.count(title) == 1
    assert again.replace("77", "10") == first


def test_a_run_of_all_curves_replaces_the_page() -> None:
    everything = {**ALL, "curves": {name: [] for name in CURVES}}
    assert updated("old", everything) == page(everything)
