"""Scripts that complete words, for commands with any help text."""

import re
import shlex
import subprocess

import pytest

from gamin.cli.describe import Command, Option, Section, Value
from gamin.cli.shell_completion import SHELLS

HELP = "it's a [value]: 'x' \\ $(date) `date`"

OPTIONS = (
    Option(("-r", "--recursive"), HELP, Value.NONE, ""),
    Option(("--ignore",), HELP, Value.ANY, "GLOB", is_repeatable=True),
    Option(("-o", "--out"), HELP, Value.FILE, "FILE"),
    Option(("--colour",), HELP, Value.CHOICE, "WHEN", ("always", "never")),
)


def made(
    name: str = "try",
    arguments_are: Value = Value.FILE,
    choices: tuple[str, ...] = (),
    *,
    takes_command: bool = False,
) -> Command:
    return Command(
        *(name, HELP, "usage", "description", (Section("options", OPTIONS),), ()),
        *(arguments_are, choices, takes_command, ""),
    )


COMMANDS = [
    made(),
    made("choose", Value.CHOICE, ("this", "that")),
    made("run", takes_command=True),
    made("nothing", Value.NONE),
]


def script(shell: str) -> str:
    return "".join(SHELLS[shell](COMMANDS))


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    text = (
        f"{script('bash')}\n"
        f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}\n"
        '_gamin; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", text], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("gamin", "tr"), ["try"]),
        (("gamin", "--v"), ["--version"]),
        (("gamin", "try", "--rec"), ["--recursive"]),
        (("gamin", "try", "--colour", "a"), ["always"]),
        (("gamin", "try", "--ignore", "a"), []),
        (("gamin", "choose", "th"), ["this", "that"]),
        (("gamin", "unknown", "-"), []),
    ],
)
def test_bash_offers_what_can_stand_there(
    words: tuple[str, ...], offered: list[str]
) -> None:
    assert completed(*words) == offered


def test_bash_completes_the_command_that_is_run() -> None:
    assert "printf" in completed("gamin", "run", "--", "print")


def test_zsh_quotes_the_help_texts() -> None:
    text = script("zsh")
    # A specification of zsh: brackets and colons of the text have backslashes.
    (line,) = [each for each in text.splitlines() if "(this that)" in each]
    assert "1:value:" in line
    assert r"\[value\]\: " in text
    assert "'*'--ignore" in text
    assert "'(-r --recursive)'{-r,--recursive}" in text


def test_fish_knows_files_choices_and_free_values() -> None:
    text = script("fish")
    options = re.findall(r"^complete .* -l (\w+)(.*?) -d ", text, re.MULTILINE)
    found = {name: flags.split() for name, flags in options}
    assert found["recursive"] == ["-s", "r"] or found["recursive"] == []
    assert found["ignore"] == ["-x"]
    assert found["out"] == ["-r", "-F"]
    assert "-a" in found["colour"]
    assert "'always never'" in text


def test_every_script_quotes_what_a_shell_would_run() -> None:
    for shell in ("zsh", "fish"):
        words = script(shell).replace("'\\''", "").replace("\\'", "")
        outside = re.sub(r"'[^']*'", "", words)
        assert "$(date)" not in outside
