"""The program as a whole: its commands, exit statuses and documentation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gamin import __version__
from gamin.cli.main import COMMANDS, command_parser, main
from testkit.programs import gamin, outcome

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/commands.md").read_text()
MODULES = {
    path.stem
    for path in (ROOT / "src/gamin/cli").glob("*.py")
    if "\ndef configure(" in path.read_text()
}
SOURCE_PATH = f"import sys; sys.path.append({str(ROOT / 'src')!r})\n"
"""Without the module `site`, which may import anything."""
HELP = {"-h", "--help"}
EACH = pytest.mark.parametrize("command", COMMANDS)


def options_of(command: str) -> set[str]:
    """Every spelling of every option."""
    actions = command_parser(command)._actions
    return {spelling for action in actions for spelling in action.option_strings}


def test_each_command_has_a_module_and_each_module_is_a_command() -> None:
    assert set(COMMANDS) == MODULES


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\w", shown, re.M) for name in COMMANDS)


@EACH
def test_a_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: gamin {command} ")
    assert re.search(r"^exit status: ", shown, re.M)


@pytest.mark.parametrize(
    "command", ["watch", "run", "record", "report", "status", "top"]
)
def test_help_has_examples(command: str) -> None:
    shown = command_parser(command).format_help()
    assert re.search(rf"^examples:\n  .*gamin {command}", shown, re.M)


@EACH
def test_a_command_is_documented_with_all_its_options(command: str) -> None:
    sections = re.split(r"^## ", DOCUMENT, flags=re.M)
    [section] = [text for text in sections if text.startswith(f"`gamin {command}`\n")]
    missing = [
        x for x in options_of(command) - HELP if not re.search(rf"`{x}\b", section)
    ]
    assert not missing
    assert f"$ gamin {command}" in section


def test_the_page_documents_only_commands_that_exist() -> None:
    assert set(re.findall(r"^## `gamin (\w+)`", DOCUMENT, re.M)) == set(COMMANDS)


def test_the_version_is_the_packages() -> None:
    done = gamin("--version")
    assert (done.returncode, done.stdout) == (0, f"gamin {__version__}\n")


def test_help_imports_no_module_that_it_does_not_need() -> None:
    program = (
        "import sys; from gamin.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SOURCE_PATH + program],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    unneeded = {"asyncio", "socket", "subprocess", "json", "rich", "msgspec", "re2"}
    unneeded |= {"argparse", "re", "typing", "gamin.cli.parser"}
    assert not loaded & unneeded


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="no command"),
        pytest.param(["wacth"], id="an unknown command"),
        pytest.param(["--fast"], id="an unknown option"),
        pytest.param(["status", "--fast"], id="an unknown option of a command"),
        pytest.param(["status", "--js"], id="half an option"),
        pytest.param(["watch"], id="nothing to watch"),
    ],
)
def test_wrong_usage_is_one_line_and_status_64(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 64
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"gamin: .+ \(see gamin.* -h\)\n", printed.err)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        pytest.param(["wacth"], "did you mean 'watch'?", id="a command"),
        pytest.param(["xyz"], "there are watch, ", id="no command at all"),
        pytest.param([], "which command? watch, ", id="nothing"),
        pytest.param(["watch", "--colour=x", "."], "mean '--color'?", id="an option"),
        pytest.param(
            ["watch", "--color", "alway", "."], "mean 'always'?", id="a value"
        ),
        pytest.param(["completions", "tcsh"], "there are bash, zsh", id="a shell"),
    ],
)
def test_wrong_usage_says_what_may_be_meant(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert hint in capsys.readouterr().err


def test_control_characters_in_wrong_arguments_are_escaped() -> None:
    status, [line] = outcome(gamin("status", b"\x1b[2J\n\xff"))
    assert status == 64
    assert r"\x1b[2J\n\udcff" in line


@EACH
def test_no_command_lets_a_wrong_argument_act_on_the_terminal(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--\x1b[2J\n\u202e\udcff"])
    assert ended.value.code == 64
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.isascii()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("", id="empty"),
        pytest.param("/a" * 2048, id="too long"),
        pytest.param("/a\0b\n", id="NUL"),
    ],
)
def test_an_error_is_one_line_and_status_1(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", path]) == 1
    assert re.fullmatch("gamin: cannot watch .+\n", capsys.readouterr().err)


def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = gamin("config", stdout=writer)
    os.close(writer)
    assert outcome(done) == (0, [])


def test_help_into_a_closed_pipe_prints_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = gamin("--help", stdout=writer)
    os.close(writer)
    assert outcome(done) == (0, [])


def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "wb") as full:
        status, [line] = outcome(gamin("config", stdout=full.fileno()))
    assert (status, line) == (1, "gamin: No space left on device")


def test_a_closed_output_is_an_error() -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "gamin"]
    done = subprocess.run(
        [*closed, "config"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert outcome(done) == (1, ["gamin: standard output is closed"])


def test_output_works_in_an_ascii_locale() -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "gamin", "config", "/café"],
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
