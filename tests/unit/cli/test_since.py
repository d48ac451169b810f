"""`gamin since`: its arguments, without a server."""

import argparse

import pytest

from gamin.cli import since
from gamin.cli.parser import Parser


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser(prog="gamin since")
    since.configure(parser)
    return parser.parse(words)


def test_a_clock_alone_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert since.run(parsed("c:1:2:3:4")) == 64
    assert "which PATH?" in capsys.readouterr().err


def test_with_a_name_all_words_are_paths() -> None:
    args = parsed("--name", "backup", "-r", "a", "b")
    assert (args.name, args.words, args.recursive) == ("backup", ["a", "b"], True)


def test_nothing_at_all_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed()
    assert end.value.code == 64
    assert "CLOCK PATH" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("a", "b"), ("a", "-i", "x"), ("a", "--json"), ("a", "--relative")]
)
def test_a_list_for_rsync_is_of_one_whole_directory(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert since.run(parsed("--name", "backup", "--rsync", *words)) == 64
    assert "takes one PATH" in capsys.readouterr().err


def test_the_help_shows_the_options_of_rsync_that_make_a_copy_exact() -> None:
    parser = Parser(prog="gamin since")
    since.configure(parser)
    shown = str(parser.epilog).replace("\\\n", " ").split()
    assert set(since.RSYNC.split()) <= set(shown)
