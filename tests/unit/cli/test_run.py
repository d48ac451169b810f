"""Arguments of `gamin run`, and the command that they make."""

import signal

import pytest

from gamin.cli import run
from gamin.cli.loop_guard import Loop
from gamin.cli.main import command_parser, main
from gamin.cli.supervisor import _loop_message


@pytest.mark.parametrize(
    ("words", "filled"),
    [
        pytest.param(["make"], ["make"], id="no placeholder"),
        pytest.param(["lint", "{}", "-q"], ["lint", "/a b", "/c", "-q"], id="alone"),
        pytest.param(["x", "--f={}"], ["x", "--f=/a b", "--f=/c"], id="inside"),
        pytest.param(["x", "{}{}"], ["x", "/a b/a b", "/c/c"], id="twice"),
    ],
)
def test_each_path_becomes_an_argument(words: list[str], filled: list[str]) -> None:
    assert run.command_of(words, None)(["/a b", "/c"]) == filled


def test_a_shell_gets_text_and_paths_apart() -> None:
    made = run.command_of([], 'echo "$@"')(["/a;b"])
    assert made == ["/bin/sh", "-c", 'echo "$@"', "sh", "/a;b"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        pytest.param(["."], "after `--`", id="no command"),
        pytest.param([".", "--"], "after `--`", id="an empty command"),
        pytest.param(["--shell", "x", ".", "--", "y"], "either", id="two commands"),
        pytest.param(["--", "make"], "PATH", id="no path"),
        pytest.param(["--drop", "--restart", ".", "--", "x"], "not allowed", id="both"),
        pytest.param(
            ["--signal", "HELLO", ".", "--", "x"], "not a signal", id="signal"
        ),
        pytest.param(["--debounce", "-1", ".", "--", "x"], "milliseconds", id="past"),
        pytest.param(["--stop-timeout", "0", ".", "--", "x"], "seconds", id="no time"),
    ],
)
def test_wrong_usage_says_what_to_do(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *words])
    assert ended.value.code == 64
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("text", ["INT", "int", "SIGINT", "2"])
def test_a_signal_has_a_name_or_a_number(text: str) -> None:
    args = command_parser("run").parse(["--signal", text, ".", "--", "x"])
    assert args.signal is signal.SIGINT


def test_options_after_the_border_are_the_commands() -> None:
    args = command_parser("run").parse([".", "--", "x", "--once", "--", "-r"])
    assert args.command == ["x", "--once", "--", "-r"]
    assert not args.once


@pytest.mark.parametrize(
    ("loop", "options"),
    [
        pytest.param(Loop(("/w/a b",), "/w"), "add -i '/a b'", id="one file"),
        pytest.param(Loop(("/w/x/a", "/w/y/b"), "/w"), "-i /x/a -i /y/b", id="two"),
        pytest.param(
            Loop(tuple("abcde"), "/w/out"), "-i /out/", id="many in one place"
        ),
        pytest.param(Loop((), "/w/tmp"), "-i /tmp/", id="new names each time"),
        pytest.param(Loop((), "/w"), "-i GLOB", id="everywhere"),
    ],
)
def test_the_message_about_a_loop_offers_options(loop: Loop, options: str) -> None:
    _, advice = _loop_message(loop, ["/", "/w"])
    assert advice.endswith(options)
