"""The program as a whole: finding commands, exit statuses, documentation."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from gamin import __version__
from gamin.cli.main import COMMANDS, Parser, main
from testkit.programs import gamin, outcome

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/commands.md").read_text()
MODULES = {
    path.stem
    for path in (ROOT / "src/gamin/cli").glob("*.py")
    if "\ndef configure(" in path.read_text()
}
EACH = pytest.mark.parametrize("command", COMMANDS)


def parser_of(command: str) -> Parser:
    parser = Parser(prog=f"gamin {command}")
    import_module(f"gamin.cli.{command}").configure(parser)
    return parser


def options_of(command: str) -> set[str]:
    """As the usage names them, in their short form where there is one."""
    return set(re.findall(r"(?<=\[)-+[\w-]+|(?<=\| )-+[\w-]+", usage_of(command)))


def usage_of(command: str) -> str:
    return " ".join(parser_of(command).format_usage().split())


def test_every_command_has_its_module_and_every_module_is_a_command() -> None:
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
    assert re.search(r"^exit status: ", shown, re.M | re.I)


@EACH
def test_a_command_is_documented_with_all_its_options(command: str) -> None:
    sections = re.split(r"^## ", DOCUMENT, flags=re.M)
    [section] = [text for text in sections if text.startswith(f"`gamin {command}`\n")]
    missing = [x for x in options_of(command) - {"-h"} if f"`{x}" not in section]
    assert not missing
    assert f"$ gamin {command}" in section


def test_nothing_that_is_not_there_is_documented() -> None:
    assert set(re.findall(r"^## `gamin (\w+)`", DOCUMENT, re.M)) == set(COMMANDS)


def test_the_version_is_the_packages() -> None:
    done = gamin("--version")
    assert (done.returncode, done.stdout) == (0, f"gamin {__version__}\n")


def test_asking_for_help_loads_nothing_it_does_not_show() -> None:
    program = (
        "import sys; from gamin.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    unneeded = {"asyncio", "socket", "subprocess", "json", "rich", "msgspec", "re2"}
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


def test_what_is_wrong_is_said_without_acting_on_the_terminal() -> None:
    status, [line] = outcome(gamin("status", b"\x1b[2J\n\xff"))
    assert status == 64
    assert r"\x1b[2J\n\udcff" in line


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


def test_a_reader_that_has_gone_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = gamin("config", stdout=writer)
    os.close(writer)
    assert outcome(done) == (0, [])


def test_help_for_a_reader_that_has_gone_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = gamin("--help", stdout=writer)
    os.close(writer)
    assert outcome(done) == (0, [])


def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "wb") as full:
        status, [line] = outcome(gamin("config", stdout=full.fileno()))
    assert status == 1
    assert line.startswith("gamin: ")


def test_a_closed_output_is_an_error() -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "gamin"]
    done = subprocess.run(
        [*closed, "config"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert outcome(done) == (1, ["gamin: standard output is closed"])


def test_any_locale_will_do() -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "gamin", "config", "/café"],
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
