"""The pages for readers: every link leads somewhere, every named test is there, and
the site is built without a warning."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gamin
import gamin.compat.watchdog
import gamin.compat.watchfiles
import gamin.fleet
from bench import document
from bench.growth import page
from testkit.required import missing

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
NAMED_TEST = re.compile(r"`((?:tests/[\w/]+/)?test_\w+\.py)`")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What `#…` may name on this page: GitHub and MkDocs derive it from headings."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(prose(page))
    }


def broken_links(page: Path) -> list[str]:
    return [
        link
        for link in LINK.findall(prose(page))
        if "://" not in link and not leads_somewhere(page, link)
    ]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert not broken_links(page)


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](page.md#one-two) [b](none.md) [c](#three)")
    assert broken_links(page) == ["none.md", "#three"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    known = {named(path) for path in (ROOT / "tests").rglob("test_*.py")}
    known |= {path.rpartition("/")[2] for path in known}
    assert set(NAMED_TEST.findall(page.read_text())) <= known


def test_each_guarantee_names_a_test_of_behaviour() -> None:
    section = (DOCS / "guarantees.md").read_text().split("\n## What holds")[1]
    rows = re.findall(r"^\|.*\|$", section.split("\n## ")[0], re.MULTILINE)[2:]
    assert rows
    for row in rows:
        tests = NAMED_TEST.findall(row.rsplit("|", 2)[1])
        assert tests, row
        assert all((ROOT / "tests" / "behaviour" / test).is_file() for test in tests)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    if not importlib.util.find_spec("mkdocstrings"):
        missing("mkdocstrings")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "index.html").is_file()
    reference = (tmp_path / "reference.html").read_text()
    assert public_names() <= set(re.findall(r'id="([\w.]+)"', reference))


def public_names() -> set[str]:
    """What the page with the reference must have."""
    modules = (gamin, gamin.compat.watchfiles, gamin.compat.watchdog, gamin.fleet)
    names = {f"{each.__name__}.{name}" for each in modules for name in each.__all__}
    return names | {"gamin.compat.install.install", "gamin.compat.status"}


def test_the_pages_that_the_benchmarks_write_have_the_words_of_today() -> None:
    benchmarks = (DOCS / "benchmarks.md").read_text()
    assert benchmarks.startswith(document.INTRODUCTION)
    assert (DOCS / "growth.md").read_text().startswith(page.INTRODUCTION)
