"""The files that renames replace, which a message does not name.

A program that waits until files are complete is to learn that a file that was there has
another content, and not that there is a new one: most programs save a file by a rename.
"""

from typing import Protocol

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.codec.compact import FILE_MOVED, SEPARATOR


class Decode(Protocol):
    """As `decode_and_apply`."""

    def __call__(
        self, text: str, root: str, belief: Belief, /, *, recovered: bool
    ) -> list[Event]: ...


def with_deletions(decode: Decode) -> Decode:
    """The same, with the deletion of the replaced file before each such rename."""

    def decode_with_deletions(
        text: str, root: str, belief: Belief, /, *, recovered: bool
    ) -> list[Event]:
        replaced = _replaced_by(text, root, belief) if FILE_MOVED in text else ()
        found: list[Event] = []
        for event in decode(text, root, belief, recovered=recovered):
            if event.dest in replaced:
                assert event.dest is not None, "it is a rename"
                found.append(Event(Kind.DELETED, event.dest))
            found.append(event)
        return found

    return decode_with_deletions


def _replaced_by(rows: str, root: str, belief: Belief) -> set[str]:
    """The paths of known files that renames give to other files. The rows are not
    applied to the belief yet."""
    prefix = root.rstrip("/") + "/"
    return {
        prefix + row[1:]
        for row in rows.split(SEPARATOR)
        if row[:1] == FILE_MOVED and belief.has_file(row[1:])
    }
