"""The options that several commands share."""

import argparse
from pathlib import Path

import pytest

from gamin.cli.options import (
    CannotRead,
    add_paths,
    add_scope,
    patterns_from,
    scope_of,
    seconds,
)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_paths(parser)
    add_scope(parser.add_argument_group("scope"))
    return parser.parse_args(["path", *words])


@pytest.mark.parametrize(
    ("words", "recursive", "vcs_ignore"),
    [
        ((), False, False),
        (("-r",), True, True),
        (("-r", "--no-vcs-ignore"), True, False),
        (("--no-vcs-ignore",), False, False),
    ],
)
def test_what_git_ignores_is_left_out_of_trees_only(
    words: tuple[str, ...], recursive: bool, vcs_ignore: bool
) -> None:
    scope = scope_of(parsed(*words))
    assert (scope["recursive"], scope["vcs_ignore"]) == (recursive, vcs_ignore)


def test_patterns_of_files_come_before_those_of_the_command_line(
    tmp_path: Path,
) -> None:
    file = tmp_path / "patterns"
    file.write_text("from-file\n")
    scope = scope_of(parsed("-i", "!first", "--ignore-from", str(file), "-i", "last"))
    assert scope["ignore"] == ["from-file", "!first", "last"]


def test_a_file_of_patterns_is_read_as_git_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "patterns"
    file.write_bytes(b"a\r\n\n  \n#comment\n\\#b\n c \n\xff\nlast")
    assert patterns_from([str(file)]) == ["a", "\\#b", " c ", "\udcff", "last"]


@pytest.mark.parametrize("path", ["missing", ".", "nul\0byte"])
def test_a_file_that_cannot_be_read_is_named(path: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="cannot read") as error:
        patterns_from([str(tmp_path / path)])
    assert error.value.path == str(tmp_path / path)


@pytest.mark.parametrize("text", ["0.5", "1", "1e3"])
def test_seconds_are_a_positive_number(text: str) -> None:
    assert seconds(text) == float(text)


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "soon", ""])
def test_anything_else_is_no_number_of_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="positive number"):
        seconds(text)
