"""The argument parser of all commands: its error format and its `-- COMMAND` rule."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from gamin.paths import printable

WRONG_USAGE = 64
"""EX_USAGE of <sysexits.h>."""


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line, with exit status 64."""

    takes_command = False
    """Whether the words after the first `--` are a command, stored as `command`."""
    takes_words = False
    """Whether options may stand between the arguments, which are `words`; those after
    the first `--` are arguments, whatever they look like."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"gamin: {printable(message)} (see {self.prog} -h)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = list(map(str, action.choices or ()))
        word = str(value)  # the option may have a type
        if choices and word not in choices:
            hint = closest(word, choices) or f" (there are {', '.join(choices)})"
            raise argparse.ArgumentError(action, f"there is no {word!r}{hint}")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """The arguments in `words`. Exits with status 64 if they are wrong."""
        words = list(words)
        command: list[str] = []
        if self.takes_command and "--" in words:
            border = words.index("--")
            words, command = words[:border], words[border + 1 :]
        if self.takes_words:
            border = words.index("--") if "--" in words else len(words)
            args = self.parse_intermixed_args(words[:border])
            args.words = [*args.words, *words[border + 1 :]]
            return args
        args, unknown = self.parse_known_args(words)
        if unknown:
            known = [*self._option_string_actions]
            hint = closest(unknown[0].partition("=")[0], known)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        if self.takes_command:
            args.command = command
        return args


def closest(word: str, known: Sequence[str]) -> str:
    """A question whether the most similar known word was meant; empty if none is."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
