"""What is fuzzed: a function per reader, and what must hold for any bytes.

The docstring of each says the invariant in a sentence. Only the errors that the reader
documents are caught: any other exception is a finding, which becomes a test.
"""

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from unittest import mock

import msgspec

from gamin.backends.inotify import InotifyBackend
from gamin.config import gaminrc, git_config, mounts
from gamin.config.git_config import InvalidGitConfig
from gamin.errors import GaminError, RemoteProtocolError
from gamin.patterns import gitignore
from gamin.patterns.ignore_rules import IgnoreRules
from gamin.protocol.gam.packets import PacketReader
from gamin.protocol.gam.server import ServerSession
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.decode import decode_and_apply
from gamin.protocol.watchman.client.watching import Watching, WatchOptions
from gamin.protocol.watchman.codec.bser import decode_value, encode_value
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.codec.requests import RequestReader
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.errors import BadRequest
from gamin.state.saved import Damaged, SavedTree, digest, pack, unpack
from gamin.system import fanotify, inotify

Target = Callable[[bytes], None]


def packets(data: bytes) -> None:
    """Packets are the same however their bytes are cut, and less than one is kept."""
    whole, cut = PacketReader(), PacketReader()
    with suppress(RemoteProtocolError):
        expected = whole.feed(data)
        found = []
        for at in range(len(data)):
            found += cut.feed(data[at : at + 1])
        assert found == expected
        assert (
            b"".join(packet.encode() for packet in found)
            == data[: len(data) - cut.buffered]
        )
    session = ServerSession()
    with suppress(RemoteProtocolError):
        for request in session.received(b"\0" + data):
            assert b"\0" not in getattr(request, "path", b"")


def requests(data: bytes) -> None:
    """A stream of requests is read as typed requests or refused, in JSON and BSER."""
    reader = RequestReader()
    with suppress(RemoteProtocolError):
        for codec, body in reader.feed(data):
            with suppress(BadRequest):
                parse_request(codec.decode(body))


def json_requests(data: bytes) -> None:
    """A line of JSON is a typed request, or a bad request."""
    with suppress(BadRequest):
        parse_request(JSON.decode(data))


def bser(data: bytes) -> None:
    """A value that is read can be written, and is the same when it is read again."""
    with suppress(BadRequest):
        value = decode_value(data)
        again = decode_value(encode_value(value, has_text_type=True))
        # nan is not equal to itself; text that is not UTF-8 is written another way.
        assert repr(again) == repr(value) or "\\udc" in repr(value)


def configuration(data: bytes) -> None:
    """Each line of a gaminrc is a rule or a mistake with a text."""
    for found in gaminrc.parse(data, b"/home/user"):
        assert str(found)


def mountinfo(data: bytes) -> None:
    """Any table of mounts has an answer for any path."""
    found = mounts.Mounts(mounts.parse(data))
    for path in (b"/", b"/home/user", data[:64].replace(b"\0", b"")):
        assert found.of(b"/" + path.strip(b"/")) is not None
    list(found.distant())


def git_configuration(data: bytes) -> None:
    """Git's configuration has settings with a name, or is refused as a whole."""
    with suppress(InvalidGitConfig):
        for setting in git_config.parse(data):
            assert setting.name


def ignore_file(data: bytes) -> None:
    """Any ignore file gives an answer for any path, and the same one twice."""
    for line in gitignore.read_lines(data):
        gitignore.parse(line)
    rules = IgnoreRules(vcs=True)
    rules.load(b"", b".gitignore", data)
    for path in (b"a", b"a/b.c"):
        assert rules.ignored(path, False) is rules.ignored(path, False)


class _Directory:
    """What a backend watches."""

    wd = -1

    def path(self) -> bytes:
        return b"/"


def inotify_events(data: bytes) -> None:
    """Any sequence of whole events gives changes of watched directories only."""
    outlet, inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with mock.patch.object(inotify, "open_instance", return_value=outlet):
        backend = InotifyBackend(10)
    try:
        for at in range(0, len(data) - 7, 8):
            wd, mask, cookie, length = struct.unpack_from("=BIHB", data, at)
            name = data[at : at + length % 8].replace(b"\0", b"x")
            padded = name.ljust(-(-len(name) // 16) * 16 or 0, b"\0")
            header = inotify.HEADER.pack(wd % 4 - 1, mask, cookie % 4, len(padded))
            with suppress(BlockingIOError):
                os.write(inlet, header + padded)
        for _ in range(4):
            for change in backend.drain():
                assert b"\0" not in change[3]
    finally:
        backend.close()
        os.close(inlet)


def fanotify_events(data: bytes) -> None:
    """A buffer is split into events, or refused with ValueError."""
    with suppress(ValueError):
        for event in fanotify.decode(data):
            assert isinstance(event.mask, int)


def rows(data: bytes) -> None:
    """A client reads rows or refuses them, and its belief can still be read."""
    belief = Belief()
    text = data.decode("utf-8", "surrogateescape")
    for recovered in (False, True):
        with suppress(RemoteProtocolError):
            for event in decode_and_apply(text, "/root", belief, recovered=recovered):
                assert event.path.startswith("/root")
    assert len(list(belief.walk())) >= 0


def messages(data: bytes) -> None:
    """What a server says is a batch, or an error that a program can catch."""
    watching = Watching(["/root"], WatchOptions())
    watching.start()
    with suppress(GaminError):
        watching.received(b'{"version":"1"}\n' + data)


def store(data: bytes) -> None:
    """What is unpacked is a sound tree: packed again it is the same."""
    with suppress(Damaged):
        assert unpack(*pack(tree := unpack(data, digest(data)))) == tree
    with suppress(Damaged, msgspec.DecodeError, UnicodeDecodeError):
        tree = msgspec.msgpack.decode(data, type=SavedTree)
        assert unpack(*pack(tree)) == tree


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        packets,
        requests,
        json_requests,
        bser,
        configuration,
        mountinfo,
        git_configuration,
        ignore_file,
        inotify_events,
        fanotify_events,
        rows,
        messages,
        store,
    )
}
"""All of them, by name."""
