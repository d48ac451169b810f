"""`gamin completions`: prints the script that lets a shell complete `gamin`."""

import argparse
import sys

SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the script that lets a shell complete gamin's words."
    parser.epilog = (
        "examples:\n"
        "  gamin completions bash > ~/.local/share/bash-completion/completions/gamin\n"
        "  gamin completions zsh > ~/.zfunc/_gamin      # with ~/.zfunc in fpath\n"
        "  gamin completions fish > ~/.config/fish/completions/gamin.fish\n"
        '  eval "$(gamin completions bash)"             # for this shell alone\n'
        "\n"
        "exit status: 0, 64 wrong usage"
    )
    parser.add_argument(
        "shell", choices=SHELLS, metavar="SHELL", help="bash, zsh, fish"
    )


def run(args: argparse.Namespace) -> int:
    from gamin.cli import shell_completion
    from gamin.cli.describe import commands

    script = "".join(shell_completion.SHELLS[args.shell](commands()))
    sys.stdout.buffer.write(script.encode())
    return 0
