"""The commands and options of the program, as its parsers know them.

For what is generated from them: completions of shells and manual pages.
"""

import argparse
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from gamin.cli.main import GROUPS, command_parser

_FILES = {"PATH", "FILE", "PAGE"}
"""The names of values that are files or directories."""


class Value(Enum):
    """What the shell can offer for a value."""

    NONE = "none"
    """The option has no value."""
    ANY = "any"
    FILE = "file"
    CHOICE = "choice"


class Option(NamedTuple):
    flags: tuple[str, ...]
    """Every spelling, like -r and --recursive."""
    help: str
    value: Value
    metavar: str
    """The name of the value; empty without one."""
    choices: tuple[str, ...] = ()
    is_repeatable: bool = False


class Section(NamedTuple):
    """Options under one heading."""

    title: str
    options: tuple[Option, ...]


class Command(NamedTuple):
    name: str
    purpose: str
    usage: str
    description: str
    sections: tuple[Section, ...]
    arguments: tuple[tuple[str, str], ...]
    """Name and help of each argument that is no option."""
    arguments_are: Value
    choices: tuple[str, ...]
    """What an argument can be, if that is a choice."""
    takes_command: bool
    epilog: str

    @property
    def options(self) -> Iterator[Option]:
        return (option for section in self.sections for option in section.options)


def commands() -> list[Command]:
    """Every command, in the order of the help text."""
    return [
        _command(name, purpose)
        for group in GROUPS.values()
        for name, purpose in group.items()
    ]


def _command(name: str, purpose: str) -> Command:
    parser = command_parser(name)
    sections = []
    arguments = []
    kind = Value.ANY
    choices: tuple[str, ...] = ()
    for group in parser._action_groups:
        options = []
        for action in group._group_actions:
            if action.option_strings:
                options.append(_option(action))
            else:
                arguments.append((_metavar(action), _help(action)))
                kind, choices = _value(action), _choices(action) or choices
        if options:
            sections.append(Section(group.title or "options", tuple(options)))
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    return Command(
        name,
        purpose,
        usage,
        parser.description or "",
        tuple(sections),
        tuple(arguments),
        kind if arguments else Value.NONE,
        choices,
        parser.takes_command,
        parser.epilog or "",
    )


def _option(action: argparse.Action) -> Option:
    has_value = action.nargs != 0
    return Option(
        tuple(action.option_strings),
        _help(action),
        _value(action) if has_value else Value.NONE,
        _metavar(action) if has_value else "",
        _choices(action),
        isinstance(action, argparse._AppendAction),
    )


def _value(action: argparse.Action) -> Value:
    if action.choices is not None:
        return Value.CHOICE
    return Value.FILE if _metavar(action) in _FILES else Value.ANY


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(map(str, action.choices or ()))


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "WHEN" if action.choices is not None else action.dest.upper()


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%%", "%")
