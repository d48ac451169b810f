"""The page of a recording: complete, self-contained, safe for any name."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.main import main
from gamin.cli.recording import Recorded, Recording, header, lines
from gamin.cli.report import page_name
from gamin.cli.report_page import LEVELS, level, page
from gamin.events import Event, Kind

HOSTILE = "/w/<script>alert('x')</script>&amp;\"\n\x1b[2J\udcff\u05d0\u202e"


def recorded(*paths: str, damaged: int = 0) -> Recording:
    changes = [
        Recorded(1000.0 + number / 7, Event(Kind.CREATED, path))
        for number, path in enumerate(paths)
    ]
    return Recording(["/w"], 1000.0, changes, damaged)


class Checker(HTMLParser):
    """Collects the elements; fails if one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(recording: Recording) -> Checker:
    checker = Checker()
    checker.feed("".join(page(recording, "A title")))
    checker.close()
    assert checker.open == []
    return checker


@given(st.lists(st.text(min_size=1).map(lambda text: f"/w/{text}"), max_size=20))
def test_any_names_give_a_page_of_balanced_elements(paths: list[str]) -> None:
    checker = checked(recorded(*paths))
    cells = [a for tag, a in checker.elements if tag == "rect" and "x" in a]
    assert bool(cells) is bool(paths)
    "".join(page(recorded(*paths), "x")).encode()  # no lone surrogate is left


def test_a_hostile_name_stays_text() -> None:
    checker = checked(recorded(HOSTILE))
    assert "script" not in {tag for tag, _ in checker.elements}
    assert r"\n\x1b[2J\udcff" in checker.text
    assert "\x1b" not in checker.text


def test_the_page_loads_nothing() -> None:
    text = "".join(page(recorded("/w/a", "/w/b/c"), "A title"))
    assert not re.search(r"https?:|url\(|\b(src|href)=|@import", text)
    assert "default-src 'none'" in text


def test_the_busiest_paths_are_listed_first() -> None:
    checker = checked(recorded("/w/a", *["/w/busy"] * 3))
    assert checker.text.index("/w/busy") < checker.text.rindex("/w/a")


def test_damage_is_reported() -> None:
    assert "damaged lines" in checked(recorded("/w/a", damaged=2)).text
    assert "damaged lines" not in checked(recorded("/w/a")).text


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(1, 1, LEVELS // 2), (1, 100, 1), (100, 100, LEVELS), (10, 100, 5)],
)
def test_colours_follow_a_logarithmic_scale(
    count: int, most: int, expected: int
) -> None:
    assert level(count, most) == expected


@pytest.mark.parametrize(
    ("recording", "expected"),
    [("x.jsonl.gz", "x.html"), ("a/b.json", "a/b.html"), ("x", "x.html")],
)
def test_the_page_is_named_after_the_recording(recording: str, expected: str) -> None:
    assert page_name(recording) == expected


def write(path: Path, *events: Event) -> None:
    path.write_bytes(header(["/w"], 1000.0) + lines(events, 1001.0))


def test_the_command_writes_the_page_and_prints_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "x.jsonl", Event(Kind.CREATED, "/w/a"))
    assert main(["report", f"{tmp_path}/x.jsonl"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/x.html\n"
    assert (tmp_path / "x.html").read_text().startswith("<!DOCTYPE html>")


def test_a_dash_writes_the_page_to_standard_output(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    write(tmp_path / "x.jsonl")
    assert main(["report", f"{tmp_path}/x.jsonl", "-o", "-", "--title", "<b>"]) == 0
    assert b"<title>&lt;b&gt;</title>" in capsysbinary.readouterr().out


@pytest.mark.parametrize("words", [["missing"], ["x.jsonl", "-o", "missing/y"]])
def test_an_input_or_output_error_is_one_line(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "x.jsonl")
    assert main(["report", *words]) == 1
    assert re.fullmatch("gamin: cannot use .+\n", capsys.readouterr().err)


def test_a_browser_shows_every_cell(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no Chromium")
    file = tmp_path / "x.html"
    made = recorded(HOSTILE, *(f"/w/{n % 9}/f" for n in range(200)))
    file.write_text("".join(page(made, "x")))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    shown = subprocess.run(
        [browser, *options, f"--user-data-dir={tmp_path}/profile", file.as_uri()],
        capture_output=True,
        text=True,
        check=True,
    )
    cells = re.findall(r'<rect class="cell l\d"', shown.stdout)
    assert len(cells) == file.read_text().count("<rect class='cell")
    assert "&lt;script&gt;" in shown.stdout
