"""Reads the arguments of requests; each complaint is the text of Watchman."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.errors import BadCommand, UnresolvedRoot
from gamin.protocol.watchman.names import MAX_PATH, to_bytes
from gamin.protocol.watchman.query.limits import QueryLimits

Arguments = Sequence[object]
"""What follows the name of the command."""
Reader = Callable[[str, Arguments], ask.Request]
"""Reads the arguments of the named command. Raises BadRequest."""
QueryReader = Callable[[str, Arguments, QueryLimits], ask.Request]
"""A `Reader` that is given the limits of the query among the arguments, too."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0)]


def plain(request: ask.Request) -> Reader:
    """A command without arguments; as in Watchman, superfluous ones are ignored."""
    return lambda name, arguments: request


def of_root(make: Callable[[bytes], ask.Request]) -> Reader:
    """A command whose only argument is its root."""

    def read(name: str, arguments: Arguments) -> ask.Request:
        count(name, arguments, 1, 1)
        return make(root_of(arguments))

    return read


def count(name: str, arguments: Arguments, least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise BadCommand(f"wrong number of arguments to '{name}'")


def root_of(arguments: Arguments) -> bytes:
    root = arguments[0]
    if not isinstance(root, str):
        raise BadCommand(
            "invalid value for argument 1, expected a string naming the root dir"
        )
    if len(root) > MAX_PATH:
        raise UnresolvedRoot(root[:99] + "...", "File name too long")
    if not root.startswith("/"):
        raise UnresolvedRoot(root, f'path "{root}" must be absolute')
    return to_bytes(root)


def subscription_name(arguments: Arguments) -> str:
    name = arguments[1]
    if not isinstance(name, str):
        raise BadCommand("expected 2nd parameter to be subscription name")
    return name


def as_object(value: object, complaint: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadCommand(complaint)
    return value


def strings(options: dict[str, object], key: str) -> tuple[str, ...]:
    complaint = f"{key} field must be an array of strings"
    return tuple(converted(options.get(key, []), list[str], complaint))


def flag(options: dict[str, object], key: str, *, default: bool) -> bool:
    value = options.get(key, default)
    flag: bool = converted(value, bool, f"{key} must be boolean")
    return flag


def converted(value: object, kind: Any, complaint: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise BadCommand(complaint) from None
