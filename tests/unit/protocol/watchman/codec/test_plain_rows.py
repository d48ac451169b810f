"""Rows that are written by the directory, against those that are written one by one."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Kind
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.codec import plain_rows as module
from gamin.protocol.watchman.codec.bser import decode_value
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.framing import decode
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.query.file_row import FileRow

FIELDS = ["name", "type", *module.CONSTANT, *module.NUMBERS]
CODECS: list[Codec] = [JSON, BserCodec(1), BserCodec(2), BserCodec(2, 1)]
NAME = st.binary(min_size=1, max_size=300).filter(lambda name: b"/" not in name)
NUMBER = st.integers(0, 2**63 - 1)


class Stats:
    """A disk with one status for each name."""

    def __init__(self, stats: dict[bytes, Any]) -> None:
        self._stats = stats

    def lstat(self, name: bytes) -> Any:
        return self._stats[name]

    def last_stat(self, name: bytes) -> Any:
        return self._stats[name]

    def readlink(self, name: bytes) -> None:
        return None


@st.composite
def statuses(draw: st.DrawFn) -> Any:
    names = {attribute for attribute, _ in module.NUMBERS.values()}
    drawn = {name: draw(NUMBER) for name in sorted(names)}
    drawn["st_mode"] %= 1 << 16  # the kernel's file types and rights
    return SimpleNamespace(**drawn)


def value(codec: Codec, data: bytes) -> Any:
    return decode(data) if codec is JSON else decode_value(data)


@given(
    st.sampled_from(CODECS),
    st.lists(st.sampled_from(FIELDS), max_size=6, unique=True),
    st.sampled_from([b"", b"d/", b"\xff%s{/", b"x" * 200 + b"/"]),
    st.dictionaries(NAME, statuses(), max_size=5),
    st.builds(module.Flags, st.booleans(), st.booleans()),
)
def test_they_are_the_same(
    codec: Codec,
    others: list[str],
    prefix: bytes,
    stats: dict[bytes, Any],
    flags: module.Flags,
) -> None:
    fields = list(dict.fromkeys(["name", *others]))
    assert module.is_plain(fields)
    rows = module.plain_rows(codec, fields)
    assert rows is not None
    names = list(stats)
    pieces = []
    if names:
        if fields == ["name"]:
            pieces.append(rows.names(prefix, names))
        else:
            pieces.append(rows.rows(prefix, names, list(stats.values()), flags))
    disk = Stats({prefix + name: status for name, status in stats.items()})
    now = Timeline(1, 1, 1, 1)
    single = [
        FileRow(prefix + name, Kind.EXISTS, False, *flags, disk=disk) for name in names
    ]
    found = value(codec, b"".join(rows.whole(pieces, len(names))))
    assert found == value(codec, codec.rows(single, fields, now))


def test_only_some_fields_are_plain() -> None:
    assert not module.is_plain(["size"])
    assert not module.is_plain(["name", "oclock"])
    assert module.needs_status(["name", "type"])
    assert module.needs_status(["name", "size"])
    assert not module.needs_status(["name", "exists"])
