"""Which rows of several runs are shown."""

from dataclasses import asdict
from typing import Any

from bench.document import document
from bench.results import Row, Value
from bench.work.size import Size

VALUES: dict[str, Value] = {
    "median": 1e-3,
    "p99": 1e-3,
    "slowest": 1e-3,
    "pings": 1,
    "lost": 0,
}


def run(*peers: str, median: float = 1e-3) -> dict[str, Any]:
    values: dict[str, Value] = {**VALUES, "median": median}
    return {
        "command": "python -m bench",
        "date": "2026-01-01",
        "machine": "a machine",
        "system": "a system",
        "python": "3",
        "place": "/tmp",
        "queue": 1,
        "size": asdict(Size()),
        "versions": {},
        "rows": [asdict(Row("latency", peer, 0, values)) for peer in peers],
    }


def tables(*runs: dict[str, Any]) -> list[list[str]]:
    """The beginnings of the lines of each table of latencies."""
    sections = document(list(runs)).split("## Latency in one directory")[1:]
    return [
        ["|".join(line.split("|")[1:3]).strip() for line in lines if line]
        for lines in (section.splitlines()[6:] for section in sections)
    ]


def test_a_repeated_measurement_replaces_the_first_one() -> None:
    first = run("raw", "gamin", "watchdog")
    assert tables(first, run("raw", "gamin", median=2e-3)) == [
        ["raw | 1.00 ms", "watchdog | 1.00 ms (1.00x)"],
        ["raw | 2.00 ms", "gamin | 2.00 ms (1.00x)"],
    ]


def test_a_table_of_which_nothing_is_left_is_not_shown() -> None:
    assert len(tables(run("raw", "gamin"), run("raw", "gamin"))) == 1
