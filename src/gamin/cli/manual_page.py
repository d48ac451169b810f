"""The manual page, in the man macros of roff (man 7 groff_man)."""

import re
from collections.abc import Iterator

from gamin import __version__
from gamin.cli.describe import Command, Option

_HEAD = """\
.SH NAME
gamin \\- report changes of files: one server for all your programs
.SH SYNOPSIS
.B gamin
.I COMMAND
[OPTION...] [PATH...]
.SH DESCRIPTION
One small server per user watches files for all of that user's programs, under that
user's own rights, and never loses a change. It is started when it is needed.
.SH COMMANDS
"""

_TAIL = """\
.SH EXIT STATUS
.TP
.B 0
done; for
.B watch
also after an interrupt
.TP
.B 1
failed: one line on standard error says why
.TP
.B 2
nothing happened before the time-out
.TP
.B 64
wrong usage
.TP
.BR 126 ", " 127
.BR run :
the command cannot be started
.TP
.B 130
interrupted
.SH ENVIRONMENT
.TP
.B GAM_CLIENT_ID
the session: programs with the same value share a server
.TP
.B GAMIN_SOCKET_DIR
the directory of the sockets
.TP
.B NO_COLOR
if set and not empty, no colours unless they are asked for
.SH FILES
.TP
.IR /etc/gamin/gaminrc ", " ~/.gaminrc ", " /etc/gamin/mandatory_gaminrc
rules that choose how paths are watched
.SH SEE ALSO
.BR inotify (7)
"""


def page(commands: list[Command]) -> Iterator[str]:
    yield f'.TH GAMIN 1 "" "gamin {__version__}" "User Commands"\n'
    yield _HEAD
    for command in commands:
        yield from _command(command)
    yield _TAIL


def _command(command: Command) -> Iterator[str]:
    yield f".SS gamin {command.name}\n.B {_text(command.usage)}\n"
    yield f".P\n{_paragraph(command.description)}"
    for name, help_text in command.arguments:
        yield f".TP\n.I {_text(name)}\n{_paragraph(help_text)}"
    for section in command.sections:
        yield f".P\n{_paragraph(section.title[:1].upper() + section.title[1:] + ':')}"
        for option in section.options:
            yield f".TP\n{_flags(option)}\n{_paragraph(option.help)}"
    if command.epilog:
        yield f".P\n.nf\n{_paragraph(command.epilog)}.fi\n"


def _flags(option: Option) -> str:
    flags = ", ".join(f"\\fB{_text(flag)}\\fR" for flag in option.flags)
    return f"{flags} \\fI{_text(option.metavar)}\\fR" if option.metavar else flags


def _paragraph(text: str) -> str:
    return "".join(f"{_text(line)}\n" for line in text.splitlines())


def _text(line: str) -> str:
    """A line that roff prints as it is: no request, no escape, no typographic dash."""
    special = {"\\": "\\e", "-": "\\-", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
    line = "".join(special.get(char, char) for char in line).replace("'", "\\(aq")
    line = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in line)
    return re.sub(r"^(?=\.)", r"\\&", line)
