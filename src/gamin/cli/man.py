"""`gamin man`: prints the manual page."""

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the manual page of gamin, made of the help texts."
    parser.epilog = (
        "examples:\n"
        "  gamin man | man -l -\n"
        "  gamin man > ~/.local/share/man/man1/gamin.1\n"
        "\n"
        "exit status: 0, 64 wrong usage"
    )


def run(args: argparse.Namespace) -> int:
    from gamin.cli.describe import commands
    from gamin.cli.manual_page import page

    sys.stdout.buffer.write("".join(page(commands())).encode())
    return 0
