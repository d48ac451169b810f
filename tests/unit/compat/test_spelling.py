"""Reported paths are spelled as the watched path was."""

import os
from pathlib import Path

import pytest

from gamin.compat.spelling import Spelling


@pytest.mark.parametrize(
    ("watched", "reported", "spelled"),
    [
        (".", "/w/a.py", "./a.py"),
        ("src", "/w/src/a.py", "src/a.py"),
        ("./src", "/w/src/deep/a.py", "./src/deep/a.py"),
        ("src/", "/w/src/a.py", "src/a.py"),
        ("/w/src", "/w/src", "/w/src"),
        ("/", "/etc/hosts", "/etc/hosts"),
        ("/w/src", "/w/srcs/a.py", "/w/srcs/a.py"),
    ],
)
def test_a_path_below_a_root_begins_as_the_root_was_given(
    watched: str, reported: str, spelled: str
) -> None:
    assert Spelling([(watched, watched)], "/w").of(reported) == spelled


def test_dots_stay_where_the_program_wrote_them(tmp_path: Path) -> None:
    folder = os.path.realpath(tmp_path)
    (tmp_path / "src").mkdir()
    given = f"{folder}/src/../src"
    spelling = Spelling([(given, given)])
    assert spelling.of(f"{folder}/src/a.py") == f"{given}/a.py"


def test_of_two_roots_the_inner_one_spells_what_is_below_both() -> None:
    spelling = Spelling([(".", "."), ("src", "./src")], "/w")
    assert spelling.of("/w/src/a.py") == "./src/a.py"
    assert spelling.of("/w/b.py") == "./b.py"
