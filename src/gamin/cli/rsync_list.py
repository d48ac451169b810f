"""Which paths `rsync --files-from` is to compare so that a copy becomes right again.

rsync decides by itself what each of these paths is now. With the options that the
documentation names, it copies a file, makes a directory the same with all that is below
it, and deletes what is missing. So a path below another one of the list is not needed;
and it would do harm: rsync reports an error for a path below what is missing, or is no
directory any more (exit statuses 24 and 23), and deletes nothing there.
"""

from collections.abc import Iterable

from gamin.events import Event, Kind

EVERYTHING = "."
"""The tree itself: rsync compares all of it."""
_COMMENTS = ("#", ";")
"""What rsync takes for the beginning of a comment, even between NULs."""


def rsync_list(events: Iterable[Event]) -> list[str]:
    """The paths for rsync, relative to the tree, as those of the events are.

    A complete listing of an empty tree has an event of the tree itself.
    """
    changed: set[str] = set()
    for event in events:
        if event.kind is Kind.EXISTS:  # what was deleted is not known
            return [EVERYTHING]
        changed.add(event.path)
        if event.dest is not None:
            changed.add(event.dest)
    if EVERYTHING in changed:
        return [EVERYTHING]
    return [_named(path) for path in sorted(changed) if not _is_below(path, changed)]


def _is_below(path: str, others: set[str]) -> bool:
    while "/" in path:
        path = path[: path.rindex("/")]
        if path in others:
            return True
    return False


def _named(path: str) -> str:
    return f"./{path}" if path.startswith(_COMMENTS) else path
