"""What a client of libgamin's language is sent of the time between two servers.

It is the difference between what the earlier server had reported of a path and what is
there, in the rows that a client gets while a server is there: a directory that is
another one is a deletion and a creation, then all that is in it.
"""

from collections.abc import Collection, Mapping

from gamin.events import Kind, Row
from gamin.state.saved_client import PathBelief


def path_rows(
    before: PathBelief, *, exists: bool, is_dir: bool, is_changed: bool
) -> list[Row]:
    """Of a single path. `is_changed`: it is another object, or has another status."""
    if before.exists and not exists:
        return [Row(Kind.DELETED, b"", is_dir)]
    if exists and not before.exists:
        return [Row(Kind.CREATED, b"", is_dir)]
    return [Row(Kind.CHANGED, b"", is_dir)] if exists and is_changed else []


def directory_rows(
    before: PathBelief,
    now: Mapping[bytes, bool] | None,
    newer: Collection[bytes] | None,
) -> list[Row]:
    """Of a directory and its entries.

    `now` has its entries, and whether each is a directory; None: there is no directory.
    `newer` has the entries whose status may have changed; None: it is another directory
    than before.
    """
    if now is None:
        return [Row(Kind.DELETED, b"", True)] if before.exists else []
    if not before.exists or newer is None:
        rows = [Row(Kind.DELETED, b"", True)] if before.exists else []
        rows.append(Row(Kind.CREATED, b"", True))
        return rows + [_created(name, is_dir) for name, is_dir in now.items()]
    old = before.entries()
    rows = [
        Row(Kind.DELETED, name, was_dir)
        for name, was_dir in old.items()
        if now.get(name) is not was_dir
    ]
    for name, is_dir in now.items():
        if old.get(name) is not is_dir:
            rows.append(_created(name, is_dir))
        elif name in newer:
            rows.append(Row(Kind.CHANGED, name, is_dir))
    return rows


def _created(name: bytes, is_dir: bool) -> Row:
    return Row(Kind.CREATED, name, is_dir, None, True)
