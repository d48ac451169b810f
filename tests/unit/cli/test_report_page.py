"""The page of `gamin report`: its figures, and names that are markup."""

from html.parser import HTMLParser

import pytest

from gamin.cli import report_page
from gamin.cli.recording import Recorded, Recording
from gamin.cli.report_page import LEVELS, MAX_BUSIEST, level, page
from gamin.events import Event, Kind


class Text(HTMLParser):
    """What a browser shows, without the names of elements."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def shown(paths: list[str], damaged: int = 0, title: str = "t") -> Text:
    changes = [
        Recorded(1000.0 + number, Event(Kind.CHANGED, path))
        for number, path in enumerate(paths)
    ]
    recording = Recording(["/w"], 1000.0, changes, damaged)
    return Text("".join(page(recording, title)))


def test_a_recording_without_changes_has_no_picture() -> None:
    text = shown([])
    assert "svg" not in text.tags
    assert "Busiest paths" not in text.words


def test_the_busiest_path_is_the_first_row_of_the_table() -> None:
    words = shown(["/w/a", "/w/b", "/w/b"]).words
    table = words[words.index("Busiest paths") :]
    assert table.index("/w/b") < table.index("/w/a")


def test_rows_that_are_left_out_are_counted() -> None:
    words = shown([f"/w/{number:03}" for number in range(MAX_BUSIEST + 3)]).words
    assert "and 3 other paths" in words


def test_damaged_lines_are_a_figure() -> None:
    assert "damaged lines" in shown(["/w/a"], damaged=2).words
    assert "damaged lines" not in shown(["/w/a"]).words


def test_names_are_text_and_never_elements() -> None:
    name = "/w/<script>alert(1)</script>&amp;"
    text = shown([name], title="<script>")
    assert "script" not in text.tags
    assert name in text.words


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(1, 1, LEVELS // 2), (1, 100, 1), (100, 100, LEVELS), (10, 100, 1 + 4)],
)
def test_the_colours_of_cells_are_a_logarithmic_scale(
    count: int, most: int, expected: int
) -> None:
    assert level(count, most) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.25, "0.2 s"),
        (3.0, "3 s"),
        (59.6, "1 min 00 s"),
        (61, "1 min 01 s"),
        (3600, "1 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_duration_is_shown_in_two_units_at_most(seconds: float, text: str) -> None:
    assert report_page._duration(seconds) == text


@pytest.mark.parametrize(
    ("least", "step"), [(0.0, 0.1), (0.3, 0.5), (16, 30), (3600, 3600), (3601, 7200)]
)
def test_the_axis_has_steps_in_which_people_count(least: float, step: float) -> None:
    assert report_page._round_step(least) == step
