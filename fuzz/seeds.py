"""Bytes that each target accepts: where a search begins, as random ones are refused."""

import struct

import msgspec

from gamin.core.model.belief import DirectoryBelief
from gamin.events import CLOSE_WRITE, CREATE, IGNORED, MOVED_FROM, MOVED_TO, OVERFLOW
from gamin.protocol.gam.packets import NO_EXISTS, Packet, RequestCode
from gamin.protocol.watchman.codec.bser import encode_value
from gamin.protocol.watchman.codec.compact import encode_message
from gamin.protocol.watchman.codec.pdu import ENCODINGS
from gamin.state.saved import Directory
from gamin.system import fanotify

_QUERY = {
    "fields": ["name", "size"],
    "since": "c:1:2:3:4",
    "expression": ["allof", ["type", "f"], ["not", ["match", "*.o"]]],
    "glob": ["src/**/*.py"],
}
_REQUESTS: list[list[object]] = [
    ["watch", "/root"],
    ["query", "/root", _QUERY],
    ["subscribe", "/root", "name", {**_QUERY, "watch": True, "settle": 0.5}],
    ["version", {"required": ["cmd-watch"], "optional": []}],
]
_JSON = [msgspec.json.encode(request) for request in _REQUESTS]
_VALUES: list[object] = [
    *(None, True, 7, -1, 1 << 40, 1.5, "text", b"bytes", [], {}),
    {"a": [1, "b", {"c": None}], "d": -300},
]


def _inotify(wd: int, mask: int, cookie: int = 0) -> bytes:
    """An event as the target reads it; `wd` is 1 or 2 for what is watched."""
    return struct.pack("=BIHB", wd, mask, cookie, 3)


def _fanotify(mask: int, *records: bytes) -> bytes:
    size = fanotify.METADATA.size
    whole = size + sum(map(len, records))
    packed = fanotify.METADATA.pack(whole, fanotify.VERSION, size, mask, -1, 9)
    return packed + b"".join(records)


def _record(kind: int, name: bytes) -> bytes:
    """A directory's identity and the name of an entry, padded to four bytes."""
    handle = b"handle!!"
    text = name.ljust(len(name) // 4 * 4 + 4, b"\0")
    size = fanotify.RECORD.size + len(handle) + len(text)
    return fanotify.RECORD.pack(kind, size, 77, len(handle), 1) + handle + text


_TOP = DirectoryBelief(1, b"r", 0, 5, True, b"a/b\xff", b"", (2,), (), (), (), 0)
_BELOW = DirectoryBelief(
    2, b"d", 0, 5, True, b"c", b"", (), ((b"c", (5, 0, 0, 0, False)),), (), (), 0
)
_TREE = [Directory((1, 2), _TOP), Directory(None, _BELOW)]

_ROWS = [
    b"ca//wa//da",
    b"Cd//cd/a//cd/b//fd/a//td/c//Dd",
    b"Cd//cd/a//Fd//Te//de/a//Ex//w",
]
_ANSWERS = (
    b'{"subscribe":"0","clock":"c:1:2:3:4"}\n'
    b'{"subscription":"0","clock":"c:1:2:3:5","is_fresh_instance":true,'
    b'"names":"//a/b//b//c"}\n'
)
_NOW = (1, 2, 3, 6)

SEEDS: dict[str, list[bytes]] = {
    "packets": [
        Packet(5, RequestCode.FILE, b"/root/file").encode(),
        Packet(6, RequestCode.DIRECTORY | NO_EXISTS, b"/").encode()
        + Packet(0xFFFF, RequestCode.DEBUG, b"x" * 100).encode(),
    ],
    "requests": [
        *(line + b"\n" for line in _JSON),
        *(ENCODINGS["bser"].encode(request) for request in _REQUESTS),
    ],
    "json_requests": _JSON,
    "bser": [encode_value(value, has_text_type=True) for value in _VALUES],
    "configuration": [
        b"poll /mnt/*\nnotify /home\n# comment\n",
        b"fsset nfs poll 5\n",
        b"flow calm_seconds 0.2\n",
    ],
    "mountinfo": [
        b"22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw\n",
        b"31 22 0:44 / /mnt/a\\040b rw - nfs4 host:/x rw,vers=4.2\n",
    ],
    "git_configuration": [
        b'[core]\n\texcludesFile = "~/my ignore" ; comment\n',
        b'[remote "a\\"b"]\nurl = x\\\ny\nbare\n',
    ],
    "ignore_file": [b"*.o\n!keep.o\n/build/\n", b"**/a[b-d]?/\\#x\n"],
    "inotify_events": [
        _inotify(1, CREATE) + _inotify(1, CLOSE_WRITE) + _inotify(2, IGNORED),
        _inotify(1, MOVED_FROM, 3) + _inotify(2, MOVED_TO, 3),
        _inotify(2, MOVED_FROM, 2) + _inotify(0, OVERFLOW),
    ],
    "fanotify_events": [
        _fanotify(CREATE, _record(fanotify.ENTRY, b"file")),
        _fanotify(
            fanotify.RENAME,
            _record(fanotify.OLD_ENTRY, b"old"),
            _record(fanotify.NEW_ENTRY, b"new one"),
        ),
        _fanotify(OVERFLOW),
    ],
    "rows": _ROWS,
    "messages": [
        _ANSWERS
        + encode_message(b'"0"', _NOW, ns, b'"%b"' % text, recovered=ns is None)
        for text in _ROWS
        for ns in (None, 7)
    ],
    "store": [msgspec.msgpack.encode(_TREE)],
}
"""By the name of the target."""
