"""Every snippet of the README and of the pages is run, and prints what the page says.

`OWN_TESTS` are the pages, or blocks of a page, that have a test of their own.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gamin.client.locate import NoServer
from gamin.fleet.settings import parse
from testkit.original import require_original
from testkit.snippets import Player, Snippet, commands, pattern, snippets
from testkit.watches import signal_server

ROOT = Path(__file__).parents[2]
OWN_TESTS = {"python.md", "protocol.md"}
OWN_BLOCKS = {("configuration.md", "")}
"""The blocks without a language are configurations (test_configuration_page.py)."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPETS = [
    snippet
    for page in PAGES
    if page.name not in OWN_TESTS
    for snippet in snippets(page.name, page.read_text())
    if snippet.language != "text" and (page.name, snippet.language) not in OWN_BLOCKS
]
RUN = [snippet for snippet in SNIPPETS if not snippet.not_run]
NOT_RUN = [snippet for snippet in SNIPPETS if snippet.not_run]
KNOWN = {"console", "sh", "python", "toml"}


@pytest.fixture
def player(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Player]:
    """With `src` in its home, a server of its own, and this Python's programs."""
    (tmp_path / "src").mkdir()
    monkeypatch.setenv("GAM_CLIENT_ID", session)
    programs = os.path.dirname(sys.executable)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("ROOT", str(ROOT))
    try:
        yield Player(tmp_path, os.environ | {"PATH": path})
    finally:
        with suppress(NoServer):
            signal_server(signal.SIGTERM)


@pytest.mark.parametrize("snippet", RUN, ids=str)
def test_a_snippet_does_what_the_page_says(snippet: Snippet, player: Player) -> None:
    if "-lfam" in snippet.text + snippet.prepare:
        require_original()
    player.play(snippet)


@pytest.mark.parametrize("snippet", NOT_RUN, ids=str)
def test_a_snippet_that_is_not_run_is_at_least_well_formed(snippet: Snippet) -> None:
    if snippet.language == "python":
        compile(snippet.text, "a page", "exec")
        return
    if snippet.language == "toml":
        parse(snippet.text, "host")  # all of them are settings of publishers
        return
    words = [command.words for command in commands(snippet.text)] or [snippet.text]
    for each in words:
        subprocess.run(["sh", "-nc", each], check=True)


def test_every_snippet_is_of_a_kind_that_is_checked() -> None:
    assert {snippet.language for snippet in SNIPPETS} <= KNOWN


@pytest.mark.parametrize(
    ("output", "printed", "fits"),
    [
        pytest.param("a\n", "a\n", True, id="the same"),
        pytest.param("a\n", "a\nb\n", False, id="a line more"),
        pytest.param("a…c\n", "abc\n", True, id="any text"),
        pytest.param("a\n…\nd\n", "a\nb\nc\nd\n", True, id="any lines"),
        pytest.param("a\n…\nd\n", "a\nd\n", True, id="no line"),
        pytest.param("a\n…\nd\n", "a\nb\n", False, id="another end"),
        pytest.param("", "a\n", False, id="output where there should be none"),
    ],
)
def test_output_fits_the_page(output: str, printed: str, fits: bool) -> None:
    assert bool(re.search(pattern(output), printed, re.DOTALL)) is fits
