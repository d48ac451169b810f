"""How figures become tables. What is measured is left to the benchmark itself."""

import pytest

from bench.results import Column, Row, Unit, Value, show, show_ratio, table

CPU = Column("cpu", "CPU", Unit.SECONDS, ratio=True)
LOSS = Column("loss", "loss", Unit.TEXT)


def rows(peer: str, *values: dict[str, Value]) -> list[Row]:
    return [Row("storm", peer, repeat, each) for repeat, each in enumerate(values)]


def test_a_table_has_a_line_for_each_peer_in_the_order_of_the_run() -> None:
    measured = rows("raw", {"cpu": 0.5, "loss": "none"}) + rows(
        "other", {"cpu": 1.0, "loss": "silent"}
    )
    assert table([CPU, LOSS], measured) == [
        "|  | CPU | loss |",
        "| --- | ---: | ---: |",
        "| raw | 500 ms | none |",
        "| other | 1.00 s (2.00x) | silent |",
    ]


def test_ratios_are_taken_within_a_repetition() -> None:
    """The machine was three times slower in the second; the peer was not."""
    measured = rows("raw", {"cpu": 1.0}, {"cpu": 3.0}, {"cpu": 1.0})
    measured += rows("other", {"cpu": 2.0}, {"cpu": 6.0}, {"cpu": 2.0})
    assert table([CPU], measured)[-1] == "| other | 2.00 s (2.00x) |"


def test_a_figure_is_the_median_of_its_repetitions() -> None:
    measured = rows("raw", {"cpu": 1.0}, {"cpu": 9.0}, {"cpu": 2.0})
    assert table([CPU], measured)[-1] == "| raw | 2.00 s |"


def test_without_the_yardstick_there_is_no_ratio() -> None:
    assert table([CPU], rows("other", {"cpu": 1.0}))[-1] == "| other | 1.00 s |"


def test_a_peer_that_could_not_be_measured_says_why() -> None:
    measured = [Row("storm", "other", 0, note="not installed")]
    assert table([CPU, LOSS], measured)[-1] == "| other | not installed |  |"


def test_a_failed_repetition_is_left_out_and_mentioned() -> None:
    failed = Row("storm", "other", 0, note="gave up: did not end")
    measured = [failed, Row("storm", "other", 1, {"cpu": 2.0})]
    assert table([CPU], measured)[-1] == "| other (1 of 2) | 2.00 s |"


def test_a_figure_that_a_peer_does_not_have_is_a_dash() -> None:
    assert table([CPU, LOSS], rows("raw", {"cpu": 1.0}))[-1] == "| raw | 1.00 s | - |"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0, Unit.SECONDS, "0"),
        (0.000_000_25, Unit.SECONDS, "250 ns"),
        (0.000_085, Unit.SECONDS, "85.0 µs"),
        (0.0123, Unit.SECONDS, "12.3 ms"),
        (63.7, Unit.SECONDS, "63.7 s"),
        (1_572_864, Unit.BYTES, "1.5 MiB"),
        (210_000, Unit.COUNT, "210,000"),
    ],
)
def test_values_are_shown_with_a_fitting_unit(
    value: float, unit: Unit, expected: str
) -> None:
    assert show(value, unit) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.042, "0.04x"), (12.34, "12.3x"), (14_145.2, "14,145x")]
)
def test_ratios_have_three_digits_that_count(ratio: float, expected: str) -> None:
    assert show_ratio(ratio) == expected
