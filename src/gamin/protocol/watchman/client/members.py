"""Reads the members of a server's messages that need a check."""

from collections.abc import Mapping
from typing import Any

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.compact import SEPARATOR


def unreadable(text: object) -> frozenset[str]:
    """The names of directories in a message; None: there are none.

    Raises RemoteProtocolError.
    """
    if text is None:
        return frozenset()
    if not isinstance(text, str):
        raise RemoteProtocolError("names that are no text")
    return frozenset(text.split(SEPARATOR))


def is_of_another_root(before: str | None, now: object) -> bool:
    """Whether a server whose clock is `now` cannot continue from the clock `before`.

    A clock is that of a server, one of its roots, and a tick: the last of its parts.
    """
    if before is None or not isinstance(now, str):
        return False
    return before.rpartition(":")[0] != now.rpartition(":")[0]


def rows(value: Mapping[str, Any]) -> str:
    """The compact rows of a message. Raises RemoteProtocolError."""
    text = value.get("rows", "")
    if not isinstance(text, str):
        raise RemoteProtocolError("rows that are no text")
    return text


def complete_until_ns(value: Mapping[str, Any], before: int) -> int:
    """The time of a message; `before`, that of the one before, if it has none."""
    found = value.get("complete_until_ns")
    return found if isinstance(found, int) else before
