"""What the README says beside its snippets, which test_snippets.py runs: the figures of
its table are those of docs/benchmarks.md, and its commands exist."""

import html
import re
import tomllib
from pathlib import Path

import pytest

from gamin import __version__
from gamin.cli.status import Facility, Limits, Recoveries, Report, Watches
from gamin.cli.top_model import Figures, Keys, Sample

view = pytest.importorskip("gamin.cli.top_view")

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text()
MEASURED = re.compile(r"\[(?P<section>[^\]]+)\]\([^)]+\): (?P<column>.+)")

Table = list[list[str]]


def table(text: str) -> Table:
    """The cells of the first table in the text; its second row is left out."""
    [found] = re.findall(r"(?:^\|.*\|\n)+", text + "\n", re.MULTILINE)[:1]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in found.split("\n")
    ]
    return [rows[0], *rows[2:-1]]


def measured(section: str, peer: str, column: str) -> str:
    """A cell of docs/benchmarks.md, without the ratio that stands behind the figure."""
    heads, *rows = table(BENCHMARKS.split(f"\n## {section}\n")[1])
    [row] = [row for row in rows if row[0] == peer]
    return row[heads.index(column)].partition(" (")[0]


HEADS, *ROWS = table(README.split("\n## Compared\n")[1])
FIGURES = [
    pytest.param(peer, match["section"], match["column"], cell, id=f"{peer}: {row[0]}")
    for row in ROWS
    if (match := MEASURED.fullmatch(row[0]))
    for peer, cell in zip(HEADS[1:], row[1:], strict=True)
    if cell != "not measured"
]


@pytest.mark.parametrize(("peer", "section", "column", "shown"), FIGURES)
def test_a_figure_of_the_comparison_is_that_of_the_benchmarks(
    peer: str, section: str, column: str, shown: str
) -> None:
    assert shown == measured(section, peer, column)


def test_the_comparison_has_figures() -> None:
    assert len(FIGURES) > 30


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)", README))
def test_the_commands_of_the_readme_are_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_programs_that_the_readme_installs_are_those_of_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shared = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-scripts"]
    programs = {*settings["project"]["scripts"], *shared.values()}
    assert {"gamin", "gam_server"} == programs
    assert "the programs `gamin` and `gam_server`" in README


def test_the_picture_of_top_is_a_frame_that_the_tool_writes_today() -> None:
    [picture] = re.findall(r"!\[gamin top[^]]*\]\((\S+\.svg)\)", README)
    text = html.unescape((ROOT / picture).read_text()).replace("\xa0", " ")
    frame = view.frame(sampled(), Keys(), 80, 24).plain
    for label in re.findall(r"^\w+(?=  )|^ +PID.*|^q quit.*", frame, re.MULTILINE):
        assert label.rstrip() in text


def sampled() -> Figures:
    """Figures as far as their labels matter."""
    report = Report(
        version=__version__,
        pid=1,
        uptime=1,
        session="",
        addresses=[],
        clock=1,
        clients=[],
        watches=Watches(0, 0, 0, 0, 0, 0),
        limits=Limits(1, 1),
        facilities={"inotify": Facility(0, 1)},
        recoveries=Recoveries(0, 0),
    )
    figures = Figures()
    figures.add(Sample(0, report, 0, 0))
    return figures


def test_ci_calls_the_readmes_test_command() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()
