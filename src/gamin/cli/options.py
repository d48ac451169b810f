"""Options that several commands have, and the checks of their values."""

import argparse
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TypedDict

from gamin.errors import GaminError


class CannotRead(GaminError):
    """A file that an option names cannot be read."""

    def __init__(self, path: str, error: OSError | ValueError) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error

    def __str__(self) -> str:
        reason = getattr(self.error, "strerror", None) or str(self.error)
        return f"cannot read {self.path!r}: {reason}"


class Scope(TypedDict):
    """Which changes are reported: arguments of `gamin.watch`."""

    recursive: bool
    ignore: list[str]
    vcs_ignore: bool


def add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file or directory, which need not exist yet",
    )


def add_scope(group: argparse._ArgumentGroup) -> None:
    """-r, -i, --ignore-from and --no-vcs-ignore; see `scope_of`."""
    group.add_argument(
        "-r",
        "--recursive",
        action="store_true",
        help="everything below a PATH too, except what git ignores",
    )
    add_ignore(group)
    group.add_argument(
        "--no-vcs-ignore",
        action="store_true",
        help="with -r, include what git ignores",
    )


def add_ignore(group: argparse._ArgumentGroup) -> None:
    """-i and --ignore-from; see `ignored_by`."""
    group.add_argument(
        "-i",
        "--ignore",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out paths that match GLOB, a line of .gitignore (repeatable)",
    )
    group.add_argument(
        "--ignore-from",
        action="append",
        default=[],
        metavar="FILE",
        help="leave out what the lines of FILE match, as in .gitignore (repeatable)",
    )


def ignored_by(args: argparse.Namespace) -> list[str]:
    """The patterns for `add_ignore`. Raises CannotRead."""
    return [*patterns_from(args.ignore_from), *args.ignore]


def scope_of(args: argparse.Namespace) -> Scope:
    """The arguments of `gamin.watch` for `add_scope`. Raises CannotRead."""
    return {
        "recursive": args.recursive,
        "ignore": ignored_by(args),
        "vcs_ignore": args.recursive and not args.no_vcs_ignore,
    }


def patterns_from(files: Sequence[str]) -> list[str]:
    """The patterns in files of the .gitignore format. Raises CannotRead."""
    patterns: list[str] = []
    for path in files:
        try:
            with open(path, "rb") as file:
                lines = file.read().split(b"\n")
        except (OSError, ValueError) as error:
            raise CannotRead(path, error) from error
        # As git reads them: a line may end in CR LF.
        patterns += [
            os.fsdecode(line.removesuffix(b"\r"))
            for line in lines
            if line.strip() and not line.startswith(b"#")
        ]
    return patterns


def seconds(text: str) -> float:
    """A positive number of seconds, for argparse."""
    with suppress(ValueError):
        value = float(text)
        if 0 < value < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
