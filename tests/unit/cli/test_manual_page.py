"""The manual page: whatever a text contains, roff prints it as it is."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.describe import Command, Option, Section, Value
from gamin.cli.manual_page import page


def described(text: str) -> Command:
    """A command in which everything that can be any text is `text`."""
    option = Option(("-x",), text, Value.ANY, "GLOB")
    return Command(
        *("try", text, "gamin try", text, (Section("options", (option,)),)),
        *((("PATH", text),), Value.FILE, (), False, text),
    )


def body(text: str) -> list[str]:
    """The lines that a description becomes."""
    lines = "".join(page([described(text)])).splitlines()
    start = lines.index(".B gamin try") + 2
    return lines[start : lines.index(".TP", start)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (".SH no heading", [r"\&.SH no heading"]),
        ("'br no request", [r"\(aqbr no request"]),
        (r"a\fBb", [r"a\efBb"]),
        ("-r --recursive", [r"\-r \-\-recursive"]),
        ("~/x ^ `y`", [r"\(ti/x \(ha \(gay\(ga"]),
        ("PATH…", [r"PATH\[u2026]"]),
        ("one\ntwo", ["one", "two"]),
    ],
)
def test_a_text_is_printed_as_it_is(text: str, lines: list[str]) -> None:
    assert body(text) == lines


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_no_text_begins_a_request_or_needs_an_encoding(text: str) -> None:
    for line in body(text):
        assert line.isascii()
        assert not line.startswith((".", "'"))


def test_an_option_has_its_flags_and_the_name_of_its_value() -> None:
    lines = "".join(page([described("help")])).splitlines()
    assert r"\fB\-x\fR \fIGLOB\fR" in lines


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_reads_the_page_without_a_warning() -> None:
    text = "".join(page([described("a … - ' . \\ text")]))
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
