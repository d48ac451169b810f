"""Which directories become rows, and what is counted where."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.heat_map import Row, choose_rows, heat_map

parts = st.lists(st.sampled_from("abc"), min_size=1, max_size=5)
paths = parts.map(lambda names: "/" + "/".join(names))
changes = st.lists(st.tuples(st.floats(0, 1e9), paths), min_size=1, max_size=60)


@given(changes, st.integers(1, 12), st.integers(1, 30))
def test_every_change_is_counted_in_one_row(
    changes: list[tuple[float, str]], max_rows: int, max_columns: int
) -> None:
    grid = heat_map(changes, 0.0, max_rows, max_columns)
    assert len(grid.rows) <= max_rows
    assert 1 <= grid.columns <= max_columns
    assert sum(grid.totals) == sum(cell.changes for cell in grid.cells) == len(changes)
    assert all(0 <= cell.column < grid.columns for cell in grid.cells)
    assert all(grid.totals)
    for cell in grid.cells:
        assert sum(count for _, count in cell.names) <= cell.changes


@given(changes)
def test_with_room_every_directory_has_its_own_row(
    changes: list[tuple[float, str]],
) -> None:
    directories = Counter(path.rpartition("/")[0] or "/" for _, path in changes)
    rows = choose_rows(directories.elements(), 1000)
    assert [row.directory for row in rows] == sorted(
        directories, key=lambda directory: directory.split("/")
    )
    assert not any(row.is_whole for row in rows)


def test_the_busiest_directories_are_divided_first() -> None:
    directories = ["/a/x"] * 9 + ["/a/y"] * 9 + ["/b/x", "/b/y"]
    assert choose_rows(directories, 3) == [
        Row("/a/x", False),
        Row("/a/y", False),
        Row("/b", True),
    ]


def test_a_row_says_what_it_stands_for() -> None:
    assert Row("/a", False).label == "/a/"
    assert Row("/a", True).label == "/a/…"
    assert Row("/", True).label == "/…"


def test_names_are_seen_from_the_row() -> None:
    [cell] = heat_map([(5.0, "/a/b/c"), (5.0, "/a/b/c"), (5.0, "/a/d/e")], 5, 1).cells
    assert cell.names == (("b/c", 2), ("d/e", 1))


def test_a_heat_map_without_changes_is_empty() -> None:
    assert heat_map([], 7.0).rows == []
