"""Completions and the manual page, read by the programs that they are for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gamin.cli.describe import Value, commands
from gamin.cli.main import COMMANDS, main
from gamin.cli.manual_page import page
from gamin.cli.shell_completion import SHELLS
from testkit.terminal import in_terminal


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "a b").mkdir()
    (tmp_path / "gamin").write_text("")
    return tmp_path


def script_for(shell: str, folder: Path) -> Path:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    path = folder / f"completion.{shell}"
    path.write_text("".join(SHELLS[shell](commands())))
    return path


def test_descriptions_cover_every_command_and_say_what_values_are() -> None:
    described = {command.name: command for command in commands()}
    assert list(described) == COMMANDS
    options = {flag: o for o in described["watch"].options for flag in o.flags}
    assert options["--ignore-from"].value is Value.FILE
    assert options["--color"].choices == ("auto", "always", "never")
    assert options["-r"].value is Value.NONE
    assert options["-r"] is options["--recursive"]
    assert described["run"].takes_command
    assert described["status"].arguments_are is Value.NONE


# -- bash


def in_bash(box: Path, *words: str) -> set[str]:
    script = script_for("bash", box)
    program = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gamin; '
        r'printf "%s\0" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", script, "gamin", *words],
        cwd=box,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return set(done.stdout.split("\0")) - {""}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(["docto"], {"doctor"}, id="a command"),
        pytest.param(["watch", "--re"], {"--recursive", "--relative"}, id="an option"),
        pytest.param(["watch", "--color", "a"], {"auto", "always"}, id="a choice"),
        pytest.param(["watch", "a"], {"a b"}, id="a path with a blank"),
        pytest.param(["watch", "--ignore-from", "a"], {"a b"}, id="a file"),
        pytest.param(["watch", "--timeout", "a"], set(), id="a number"),
        pytest.param(["status", "a"], set(), id="no argument"),
        pytest.param(["completions", ""], {"bash", "zsh", "fish"}, id="a shell"),
        pytest.param(["run", ".", "--", "printen"], {"printenv"}, id="a program"),
        pytest.param(["run", ".", "--", "ls", "a"], {"a b"}, id="its argument"),
        pytest.param(["nonsense", ""], set(), id="an unknown command"),
    ],
)
def test_bash_offers_what_fits(words: list[str], offered: set[str], box: Path) -> None:
    assert in_bash(box, *words) == offered


# -- zsh


def test_zsh_completes_commands_options_and_paths(box: Path) -> None:
    script = script_for("zsh", box)
    script.rename(box / "_gamin")
    env = {**os.environ, "TERM": "dumb", "ZDOTDIR": str(box), "PS1": "ready> "}
    with in_terminal(["zsh", "-f", "-i"], env=env, cwd=box) as shell:
        shell.await_text(b"ready>")
        shell.type(
            b"fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; echo do''ne\n"
        )
        shell.await_text(b"done\r\n")
        for typed, completed in [
            (b"gamin sto\t", b"p "),  # the terminal shows only what is added
            (b"gamin watch -i x -i y --ignore-f\t", b"--ignore-from"),
            (b"gamin watch --rec\t", b"--recursive"),
            (b"gamin watch --color al\t", b"always"),
            (b"gamin watch a\t", rb"a\ b"),
            (b"gamin run . -- printen\t", b"printenv"),
        ]:
            shell.type(typed)
            shell.await_text(completed)
            shell.type(b"\x15")  # erases the line


# -- fish


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gamin sto", {"stop"}),
        ("gamin watch --re", {"--recursive", "--relative"}),
        ("gamin watch --color a", {"auto", "always"}),
        ("gamin watch a", {"a b/"}),
        ("gamin completions z", {"zsh"}),
        ("gamin status a", set()),
    ],
)
def test_fish_offers_what_fits(line: str, offered: set[str], box: Path) -> None:
    script = script_for("fish", box)
    program = f"source {script}; complete -C {line!r}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", program],
        cwd=box,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == offered


# -- the manual page


def test_the_manual_page_is_clean_roff_and_names_every_option() -> None:
    if shutil.which("groff") is None:
        pytest.skip("no groff")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=200n"],
        input="".join(page(commands())),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    for command in commands():
        assert f"gamin {command.name}" in done.stdout
        for option in command.options:
            assert ", ".join(option.flags) in done.stdout
    assert "'*.html'" in done.stdout
    assert '"$@"' in done.stdout


@pytest.mark.parametrize(
    "words", [["completions", shell] for shell in SHELLS] + [["man"]]
)
def test_the_commands_print_what_is_generated(
    words: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(words) == 0
    assert b"gamin" in capsysbinary.readouterr().out
