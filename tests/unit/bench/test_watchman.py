"""The table of requests to Watchman and to our server."""

from bench.watchman import HEADS, Measured, line


def test_a_line_has_medians_and_the_ratio_of_the_cpu() -> None:
    theirs = [Measured(0.001, 0.004, 0), Measured(0.002, 0.002, 0.006)]
    ours = [Measured(0.003, 0.020, 0.001)]
    cells = line("all names", "12", [theirs, ours])
    assert cells == ["all names", "12", "1.50", "3.00", "2.00", "3.00", "20", "6", "1"]
    assert len(cells) == len(HEADS)


def test_where_changes_are_waited_for_the_ratio_is_that_of_the_time() -> None:
    theirs, ours = [Measured(0.001, 0.004, 0)], [Measured(0.003, 0.002, 0)]
    cells = line("since", "1", [theirs, ours], by_time=True)
    assert cells[4] == "0.50"
    assert cells[-2:] == ["", ""], "nobody else asked"
