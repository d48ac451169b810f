"""Deletions as a program that waits until files are complete needs them.

Such a program is to learn that a file that was there has another content, and not that
there is a new one. Most programs save a file by a rename, which does not say that it
replaces one. And a difference, which comes when a client has not read for a while, may
contain the deletion of a name that was never reported. The client's belief knows both.
"""

from collections.abc import Iterator
from typing import Protocol

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.codec.compact import (
    FILE_DELETED,
    FILE_MOVED,
    SEPARATOR,
    check_names,
    is_half,
)


class Decode(Protocol):
    """As `decode_and_apply`."""

    def __call__(
        self, text: str, root: str, belief: Belief, /, *, recovered: bool
    ) -> list[Event]: ...


def with_deletions(decode: Decode, *, is_detailed: bool = False) -> Decode:
    """The same, with the deletion of a replaced file before the rename that replaces
    it, of what is below a directory before its own, and without deletions of what is
    unknown. `is_detailed`: the rows have details."""
    start = 2 if is_detailed else 1

    def decode_with_deletions(
        text: str, root: str, belief: Belief, /, *, recovered: bool
    ) -> list[Event]:
        check_names(text)
        prefix = root.rstrip("/") + "/"
        found: list[Event] = []
        for rows in _one_by_one(text):
            row = rows.rpartition(SEPARATOR)[2]
            mark, name = row[:1], row[start:]
            if mark == FILE_MOVED and belief.has_file(name):
                found.append(Event(Kind.DELETED, prefix + name))
            is_deletion = mark.lower() == FILE_DELETED and name != ""
            is_known = not is_deletion or belief.has(name)
            if is_deletion:
                # Those below it may be reported after it: flow control deferred them.
                below = list(belief.below(name))
                found += [
                    Event(Kind.DELETED, prefix + each, is_dir=is_dir)
                    for each, is_dir in reversed(below)
                ]
            events = decode(rows, root, belief, recovered=recovered)
            found += events if is_known else ()
        return found

    return decode_with_deletions


def _one_by_one(text: str) -> Iterator[str]:
    """The rows, both halves of a rename together."""
    half = ""
    for row in text.split(SEPARATOR) if text else ():
        if is_half(row[:1]) and not half:
            half = row + SEPARATOR
        else:
            yield half + row
            half = ""
    if half:
        yield half.removesuffix(SEPARATOR)
