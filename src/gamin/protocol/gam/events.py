"""Encodes rows as packets of the libgamin protocol."""

from collections.abc import Iterable

from gamin.events import AnyRow, Kind
from gamin.protocol.gam.packets import EventCode, encode_event

# Looked up once: on 3.11 a member of an enum costs 0.1 µs each time.
_CODES = {
    Kind.EXISTS: int(EventCode.EXISTS),
    Kind.CREATED: int(EventCode.CREATED),
    Kind.CHANGED: int(EventCode.CHANGED),
    Kind.DELETED: int(EventCode.DELETED),
}
_CREATED, _CHANGED, _MOVED = Kind.CREATED, Kind.CHANGED, Kind.MOVED
_DELETED = int(EventCode.DELETED)


def encode_rows(sequence: int, path: bytes, rows: Iterable[AnyRow]) -> bytes:
    """The packets that report `rows` for the request `sequence`.

    `path` is the path as the client wrote it. A row about the path itself carries it;
    a row about an entry carries the bare name. The protocol has no event for a rename:
    it is a deletion and a creation, or, where an entry was replaced, a deletion and a
    change.
    """
    packets = []
    for kind, row_path, _, source, is_new in rows:
        name = row_path[row_path.rfind(b"/") + 1 :] or path
        if kind is _MOVED:
            assert source is not None
            old = source[source.rfind(b"/") + 1 :]
            packets.append(encode_event(sequence, _DELETED, old))
            kind = _CREATED if is_new else _CHANGED
        packets.append(encode_event(sequence, _CODES[kind], name))
    return b"".join(packets)


def encode_first(
    sequence: int,
    path: bytes,
    rows: Iterable[AnyRow],
    no_exists: bool,
    *,
    is_last: bool = True,
) -> bytes:
    """The packets of the first listing: an Exists per row, then EndExist, if these rows
    are the last ones.

    With `no_exists` only what is missing is reported, and no EndExist.
    """
    if no_exists:
        rows = [row for row in rows if row[0] is not Kind.EXISTS]
    if no_exists or not is_last:
        return encode_rows(sequence, path, rows)
    end = encode_event(sequence, int(EventCode.END_EXIST), path)
    return encode_rows(sequence, path, rows) + end
