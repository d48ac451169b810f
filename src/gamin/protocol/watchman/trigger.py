"""Triggers: commands that the server runs when files of a root change.

Reads both ways in which a client may define one; the daemon runs them. Error texts are
those of Watchman (its cmds/trigger.cpp).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from gamin.protocol.watchman import legacy
from gamin.protocol.watchman.errors import BadCommand
from gamin.protocol.watchman.names import MAX_PATH, to_bytes
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS, QueryLimits
from gamin.protocol.watchman.query.query import Query, parse_query

NAME_PER_LINE = "NAME_PER_LINE"
NOTHING = "/dev/null"
LEGACY_FIELDS = ("name", "exists", "new", "size", "mode")
"""What a trigger of the older form reads from its standard input."""

_QUERY_MEMBERS = ("expression", "relative_root", "case_sensitive", "suffix", "glob")
"""Members of a definition that say which files it is about."""


class OutputFile(Struct, frozen=True):
    """Where a stream of the command goes."""

    path: bytes
    """Relative to the directory in which the command runs."""
    is_appended: bool


class Trigger(Struct, frozen=True, kw_only=True):
    name: str
    command: tuple[bytes, ...]
    query: Query
    append_files: bool = False
    """The names are arguments of the command, after its own."""
    stdin: str = NOTHING
    """NOTHING; NAME_PER_LINE; or "" for a JSON array of the query's fields."""
    max_files_stdin: int | None = None
    stdout: OutputFile | None = None
    stderr: OutputFile | None = None
    chdir: bytes = b""
    """Relative to the root, or to the query's `relative_root`; or absolute."""
    definition: Mapping[str, Any] = {}
    """As clients see it in `trigger-list`."""


def parse_trigger(
    arguments: Sequence[object], limits: QueryLimits = DEFAULT_LIMITS
) -> Trigger:
    """Read what follows the root: an object; or a name, patterns, "--" and a command.
    Raises BadRequest."""
    if not arguments:
        raise BadCommand("not enough arguments")
    given = arguments[0]
    if isinstance(given, dict):
        return _from_object(given, limits)
    return _from_object(_legacy_definition(given, arguments[1:]), limits)


def _legacy_definition(name: object, words: Sequence[object]) -> dict[str, object]:
    if not isinstance(name, str) or not name:
        raise BadCommand("invalid or missing name")
    border = words.index("--") if "--" in words else len(words)
    # The patterns begin after the command's name, the root and the trigger's name.
    expression = legacy.expression(words[:border], position=3)
    command = list(words[border + 1 :])
    if not command:
        raise BadCommand("no command was specified")
    definition: dict[str, object] = {
        "name": name,
        "append_files": True,
        "stdin": list(LEGACY_FIELDS),
        "command": command,
    }
    if expression is not None:
        definition["expression"] = expression
    return definition


def _from_object(given: dict[Any, Any], limits: QueryLimits) -> Trigger:
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise BadCommand("invalid or missing name")
    stdin, fields = _stdin(given.get("stdin", NOTHING))
    wishes = {key: given[key] for key in _QUERY_MEMBERS if key in given}
    return Trigger(
        name=name,
        command=_command(given.get("command")),
        query=parse_query({**wishes, "fields": list(fields)}, limits),
        append_files=_flag(given, "append_files"),
        stdin=stdin,
        max_files_stdin=_count(given.get("max_files_stdin")),
        stdout=_output(given, "stdout"),
        stderr=_output(given, "stderr"),
        chdir=_directory(given.get("chdir", "")),
        definition=given,
    )


def _command(given: object) -> tuple[bytes, ...]:
    words = given if isinstance(given, list) else []
    if not words or not all(isinstance(word, str) for word in words):
        raise BadCommand("invalid command array")
    return tuple(map(to_bytes, words))


def _stdin(given: object) -> tuple[str, tuple[str, ...]]:
    """What the command reads, and the fields that are needed for it."""
    if isinstance(given, list) and all(isinstance(field, str) for field in given):
        return "", tuple(given)
    if not isinstance(given, str):
        raise BadCommand("invalid value for stdin")
    if given not in (NAME_PER_LINE, NOTHING):
        raise BadCommand(f"invalid stdin value {given}")
    return given, ("name",)


def _output(given: dict[Any, Any], stream: str) -> OutputFile | None:
    text = given.get(stream)
    if text is None:
        return None
    if not isinstance(text, str) or not text.startswith(">"):
        raise BadCommand(f"{stream}: must be prefixed with either > or >>, got {text}")
    is_appended = text.startswith(">>")
    path = to_bytes(text[2:] if is_appended else text[1:])
    if not path or len(path) > MAX_PATH:
        raise BadCommand(f"{stream}: the name of a file is missing after {text[:2]}")
    return OutputFile(path, is_appended)


def _count(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise BadCommand("max_files_stdin must be >= 0")
    return given


def _directory(given: object) -> bytes:
    if not isinstance(given, str) or len(given) > MAX_PATH:
        raise BadCommand("chdir must be a string")
    return to_bytes(given)


def _flag(given: dict[Any, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise BadCommand(f"{key} must be a boolean")
    return value
