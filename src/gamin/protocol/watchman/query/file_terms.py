"""The terms about the file itself, and about when it changed.

Only `type`, `size`, `empty` and times make a row read the disk.
"""

import stat

from gamin.protocol.watchman.clocks import (
    Clock,
    Cursor,
    Stale,
    Timeline,
    Timestamp,
    parse_clockspec,
)
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.term import (
    Arguments,
    Builder,
    Term,
    comparison,
    refuse,
)

TYPES = {
    "b": stat.S_IFBLK,
    "c": stat.S_IFCHR,
    "d": stat.S_IFDIR,
    "f": stat.S_IFREG,
    "l": stat.S_IFLNK,
    "p": stat.S_IFIFO,
    "s": stat.S_IFSOCK,
    "D": 0xD000,  # a Solaris door; no file of Linux is one
}
SECOND = 1_000_000_000  # in the nanoseconds of stat


def _true(term: str, arguments: Arguments, fold: bool) -> Term:
    return lambda row, _: True


def _false(term: str, arguments: Arguments, fold: bool) -> Term:
    return lambda row, _: False


def _exists(term: str, arguments: Arguments, fold: bool) -> Term:
    return lambda row, _: row.exists


def _empty(term: str, arguments: Arguments, fold: bool) -> Term:
    return lambda row, _: row.exists and _is_empty(row)


def _is_empty(row: FileRow) -> bool:
    kind = stat.S_IFMT(row.stat.st_mode)
    return kind in (stat.S_IFREG, stat.S_IFDIR) and row.stat.st_size == 0


def _type(term: str, arguments: Arguments, fold: bool) -> Term:
    match arguments:
        case [str(letter), *_]:
            pass
        case _:
            refuse('First parameter to "type" term must be a type string')
    if letter not in TYPES:
        raise BadQuery(f"invalid type string '{letter}'")
    if letter == "d":
        return lambda row, _: row.is_dir
    wanted = TYPES[letter]
    return lambda row, _: not row.is_dir and stat.S_IFMT(row.stat.st_mode) == wanted


def _size(term: str, arguments: Arguments, fold: bool) -> Term:
    fits = comparison([term, *arguments])
    return lambda row, _: row.exists and fits(row.stat.st_size)


def _since(term: str, arguments: Arguments, fold: bool) -> Term:
    match arguments:
        case [value]:
            field: object = "oclock"
        case [value, field]:
            pass
        case _:
            refuse('"since" term has invalid number of parameters')
    if not isinstance(field, str):
        raise BadQuery('field name for "since" term must be a string')
    if field not in ("oclock", "cclock", "mtime", "ctime"):
        raise BadQuery(f'invalid field name "{field}" for "since" term')
    point = parse_clockspec(value)
    if isinstance(point, Cursor):
        raise BadQuery('named cursors are not allowed in "since" terms')
    if isinstance(point, Timestamp):
        return _after_time(field, point.seconds * SECOND)
    if field.endswith("time"):
        raise BadQuery(
            f'field "{field}" requires a timestamp value for comparison in "since" term'
        )
    return _after_tick(point, born=field == "cclock")


def _after_tick(clock: Clock | Stale, *, born: bool) -> Term:
    def after(row: FileRow, now: Timeline) -> bool:
        tick = now.resume(clock)
        if tick is None:
            return row.exists
        return (row.born_tick if born else row.changed_tick) > tick

    return after


def _after_time(field: str, earliest: int) -> Term:
    """Whether it changed at that time or later, in nanoseconds.

    A tick has no time; for the clocks the time of the inode stands in, and what has
    none any more is rather reported once too often.
    """
    match field:
        case "mtime":
            return lambda row, _: row.stat.st_mtime_ns >= earliest
        case "ctime":
            return lambda row, _: row.stat.st_ctime_ns >= earliest
        case _:
            return lambda row, _: not row.exists or row.stat.st_ctime_ns >= earliest


# The only ones that may be written without brackets: they have no arguments.
BARE_TERMS: dict[str, Builder] = {
    "true": _true,
    "false": _false,
    "exists": _exists,
    "empty": _empty,
}
FILE_TERMS: dict[str, Builder] = {
    **BARE_TERMS,
    "type": _type,
    "size": _size,
    "since": _since,
}
