"""The arguments of all commands: errors in one line, and words after `--`."""

import pytest

from gamin.cli.parser import WRONG_USAGE, Parser, closest


def parser(*, takes_command: bool = False, takes_words: bool = False) -> Parser:
    made = Parser(prog="gamin try")
    made.takes_command, made.takes_words = takes_command, takes_words
    made.add_argument("--colour", choices=("always", "never"))
    made.add_argument("words", nargs="*")
    return made


def error(made: Parser, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        made.parse(words)
    assert end.value.code == WRONG_USAGE
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


def test_an_unknown_option_is_one_line_with_the_nearest_known_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = error(parser(), ["--color=always"], capsys)
    assert "did you mean '--colour'?" in line
    assert "(see gamin try -h)" in line


def test_options_are_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--col" in error(parser(), ["--col", "never"], capsys)


@pytest.mark.parametrize(
    ("value", "hint"),
    [("alway", "did you mean 'always'?"), ("x", "(there are always, never)")],
)
def test_a_wrong_choice_says_which_there_are(
    value: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hint in error(parser(), ["--colour", value], capsys)


def test_a_choice_may_be_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    made = parser()
    made.add_argument("--level", type=int, choices=range(3))
    assert made.parse(["--level=2"]).level == 2
    assert "there is no '5' (there are 0, 1, 2)" in error(made, ["--level=5"], capsys)


def test_an_argument_in_an_error_cannot_act_on_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "\x1b" not in error(parser(), ["--\x1b[2J\n"], capsys)


def test_the_words_after_the_first_dashes_are_a_command() -> None:
    args = parser(takes_command=True).parse(["a", "--", "run", "--", "--colour"])
    assert (args.words, args.command) == (["a"], ["run", "--", "--colour"])


def test_a_command_may_be_left_out() -> None:
    assert parser(takes_command=True).parse(["a"]).command == []


def test_options_may_stand_between_words_and_not_after_dashes() -> None:
    words = ["a", "--colour", "never", "b", "--", "--colour", "-x"]
    args = parser(takes_words=True).parse(words)
    assert args.words == ["a", "b", "--colour", "-x"]
    assert args.colour == "never"


def test_nothing_is_suggested_for_a_word_that_is_like_no_other() -> None:
    assert closest("zzz", ["always", "never"]) == ""
