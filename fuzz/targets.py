"""What is fuzzed: a function per reader, and what must hold for any bytes.

The docstring of each says the invariant in a sentence. Only the errors that the reader
documents are caught: any other exception is a finding, which becomes a test. A target
returns whether the reader accepted anything: refusing everything holds no invariant.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from unittest import mock

from gamin.backends.inotify import InotifyBackend
from gamin.config import gaminrc, git_config, mounts
from gamin.config.git_config import InvalidGitConfig
from gamin.core.model import belief
from gamin.core.model.tree import Tree
from gamin.errors import GaminError, RemoteProtocolError
from gamin.events import CREATE, OVERFLOW, AnyChange
from gamin.patterns import gitignore
from gamin.patterns.ignore_rules import IgnoreRules
from gamin.protocol.gam.packets import Packet, PacketReader
from gamin.protocol.gam.server import ServerSession
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.decode import decode_and_apply
from gamin.protocol.watchman.client.events import events_from_rows
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import NeedsStat, Watching
from gamin.protocol.watchman.codec.bser import decode_value, encode_value
from gamin.protocol.watchman.codec.compact import decode_compact
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.codec.requests import RequestReader
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.errors import BadRequest
from gamin.state.saved import Damaged, pack, unpack, unpack_header
from gamin.system import fanotify, inotify, libc

Target = Callable[[bytes], bool]


def _split(reader: PacketReader, pieces: Iterable[bytes]) -> list[Packet] | None:
    """The packets in these pieces of a stream; None if one of them is refused."""
    try:
        return [packet for piece in pieces for packet in reader.feed(piece)]
    except RemoteProtocolError:
        return None


def packets(data: bytes) -> bool:
    """Packets are the same however their bytes are cut, and less than one is kept."""
    cut = PacketReader()
    found = _split(cut, (data[at : at + 1] for at in range(len(data))))
    assert found == _split(PacketReader(), [data])
    if found is not None:
        encoded = b"".join(packet.encode() for packet in found)
        assert encoded == data[: len(data) - cut.buffered]
    session = ServerSession()
    with suppress(RemoteProtocolError):
        for request in session.received(b"\0" + data):
            assert b"\0" not in getattr(request, "path", b"")
    return bool(found)


def requests(data: bytes) -> bool:
    """A stream of requests is read as typed requests or refused, in JSON and BSER."""
    reader, count = RequestReader(), 0
    with suppress(RemoteProtocolError):
        for codec, body in reader.feed(data):
            with suppress(BadRequest):
                parse_request(codec.decode(body))
                count += 1
    return count > 0


def json_requests(data: bytes) -> bool:
    """A line of JSON is a typed request, or a bad request."""
    try:
        parse_request(JSON.decode(data))
    except BadRequest:
        return False
    return True


def bser(data: bytes) -> bool:
    """A value that is read can be written, and is the same when it is read again."""
    try:
        value = decode_value(data)
    except BadRequest:
        return False
    again = decode_value(encode_value(value, has_text_type=True))
    # nan is not equal to itself; text that is not UTF-8 is written another way.
    assert repr(again) == repr(value) or "\\udc" in repr(value)
    return True


def configuration(data: bytes) -> bool:
    """Each line of a gaminrc is a rule or a mistake with a text."""
    found = list(gaminrc.parse(data, b"/home/user"))
    assert all(str(each) for each in found)
    return any(not isinstance(each, gaminrc.Mistake) for each in found)


def mountinfo(data: bytes) -> bool:
    """Any table of mounts has an answer for any path."""
    table = list(mounts.parse(data))
    found = mounts.Mounts(table)
    for path in (b"/", b"/home/user", data[:64].replace(b"\0", b"")):
        assert found.of(b"/" + path.strip(b"/")) is not None
    assert {mount.point for mount in found.distant()} <= {each.point for each in table}
    return bool(table)


def git_configuration(data: bytes) -> bool:
    """Git's configuration has settings with a name, or is refused as a whole."""
    try:
        settings = list(git_config.parse(data))
    except InvalidGitConfig:
        return False
    assert all(setting.name for setting in settings)
    return bool(settings)


def ignore_file(data: bytes) -> bool:
    """Any ignore file gives an answer for any path, and the same one twice."""
    patterns = [gitignore.parse(line) for line in gitignore.read_lines(data)]
    rules = IgnoreRules(vcs=True)
    rules.load(b"", b".gitignore", data)
    for path in (b"a", b"a/b.c"):
        assert rules.ignored(path, False) is rules.ignored(path, False)
    return any(pattern is not None for pattern in patterns)


class _Directory:
    """What a backend watches."""

    wd = -1

    def path(self) -> bytes:
        return b"/"


def inotify_events(data: bytes) -> bool:
    """Any sequence of whole events gives changes of watched directories only."""
    outlet, inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with mock.patch.object(inotify, "open_instance", return_value=outlet):
        backend = InotifyBackend(10)
    directories = [_Directory(), _Directory()]
    found: list[AnyChange] = []
    try:
        for number, directory in enumerate(directories):
            with mock.patch.object(libc, "inotify_add_watch", return_value=number):
                backend.watch(directory, CREATE)
        for at in range(0, len(data) - 7, 8):
            wd, mask, cookie, length = struct.unpack_from("=BIHB", data, at)
            name = data[at : at + length % 8].replace(b"\0", b"x")
            padded = name.ljust(-(-len(name) // 16) * 16 or 0, b"\0")
            header = inotify.HEADER.pack(wd % 4 - 1, mask, cookie % 4, len(padded))
            with suppress(BlockingIOError):
                os.write(inlet, header + padded)
        for _ in range(4):
            found += backend.drain()
    finally:
        backend.close()
        os.close(inlet)
    for node, mask, _, name in found:
        assert b"\0" not in name
        assert node in directories or (node is None and mask & OVERFLOW)
    return bool(found)


def fanotify_events(data: bytes) -> bool:
    """A buffer is split into events, or refused with ValueError. An event does not
    depend on those before it."""
    try:
        events = list(fanotify.decode(data))
    except ValueError:
        return False
    assert list(fanotify.decode(data + data)) == events + events
    return bool(events)


def rows(data: bytes) -> bool:
    """A client reads rows as the functions that define them do, or both refuse them."""
    text = data.decode("utf-8", "surrogateescape")
    found, defined = Belief(), Belief()
    try:
        wire_rows = decode_compact(text)
    except RemoteProtocolError:
        wire_rows = None
    try:
        events = decode_and_apply(text, "/root", found, recovered=False)
    except RemoteProtocolError:
        assert wire_rows is None
        return False
    assert wire_rows is not None
    defined.apply(wire_rows)
    assert events == events_from_rows(wire_rows, "/root", recovered=False)
    assert all(event.path.startswith("/root") for event in events)
    known = sorted(found.walk())
    assert known == sorted(defined.walk())
    assert len(known) <= len(wire_rows) + 1, "each row adds one name at most"
    return bool(events)


def messages(data: bytes) -> bool:
    """What a server says is a batch, or an error that a program can catch."""
    watching = Watching(["/root"], WatchOptions())
    watching.start()
    try:
        batches = watching.received(b'{"version":"1"}\n' + data)
    except GaminError:
        return False
    assert all(isinstance(batch, NeedsStat) or batch.events for batch in batches)
    return bool(batches)


def store(data: bytes) -> bool:
    """What is unpacked is packed again as the same, and is restored or refused."""
    with suppress(Damaged):
        unpack_header(data)
    try:
        directories = unpack(zlib.compress(data))
    except Damaged:
        with suppress(Damaged):
            unpack(data)
        return False
    assert unpack(pack(directories)) == directories
    known = tuple(each.belief for each in directories)
    with suppress(belief.Dangling):
        number = known[0].number if known else 1
        top = belief.restore(Tree(), None, belief.Belief(1, 0, number, known))
        assert all(each.parent is not None for each in top.subtree() if each is not top)
    return bool(directories)


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
