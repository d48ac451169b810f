"""Invalid input ends its own connection, with one log line, and affects no other."""

import json
import random
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.daemon import Daemon, daemon, is_hung_up, packet, watched, works

HELLO = b"\0"
FILE, DIRECTORY, CANCEL, DEBUG = 1, 2, 3, 4


@pytest.fixture
def served(session: str, tmp_path: Path) -> Iterator[Daemon]:
    """A server of its own for a test that causes many log lines."""
    with daemon(session, tmp_path / "served") as served:
        yield served


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server of several tests, which cause a line each and together fewer than the
    server writes in a while: it limits lines of one kind."""
    session = f"test-{uuid.uuid4()}"
    with daemon(session, tmp_path_factory.mktemp("served"), "--notimeout") as served:
        yield served


def raw(size: int, version: int, number: int, kind: int, path_size: int) -> bytes:
    return struct.pack("=5H", size, version, number, kind, path_size)


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(raw(12, 2, 1, FILE, 2) + b"/x", id="another version"),
        pytest.param(raw(9, 1, 1, FILE, 0), id="shorter than a header"),
        pytest.param(raw(0, 1, 1, FILE, 0), id="no length at all"),
        pytest.param(raw(4107, 1, 1, FILE, 4097), id="longer than any packet"),
        pytest.param(raw(65535, 1, 1, FILE, 65525), id="as long as can be said"),
        pytest.param(raw(12, 1, 1, FILE, 1) + b"/x", id="lengths that disagree"),
        pytest.param(packet(1, FILE), id="a file without a path"),
        pytest.param(packet(1, DIRECTORY), id="a directory without a path"),
        pytest.param(packet(1, DEBUG), id="debugging without a path"),
        pytest.param(packet(1, FILE, b"\0/x"), id="a path that begins with NUL"),
        pytest.param(packet(1, 0, b"/x"), id="request 0"),
        pytest.param(packet(1, 5, b"/x"), id="request 5"),
        pytest.param(packet(1, 15, b"/x"), id="request 15"),
        pytest.param(packet(1, CANCEL), id="a cancel of nothing"),
        pytest.param(packet(1, FILE, b"/" + 4095 * b"x"), id="a path of 4096 bytes"),
    ],
)
def test_a_bad_packet_ends_its_connection_alone(
    shared: Daemon, tmp_path: Path, nonsense: bytes
) -> None:
    before = len(shared.log())
    with shared.client() as neighbour, shared.connect() as bad:
        watched(neighbour, tmp_path)
        bad.sendall(nonsense)
        assert is_hung_up(bad)
        assert works(shared, tmp_path / "box")
        assert not neighbour.pending() or neighbour.next_event(0)
    [line] = shared.log()[before:]
    assert "dropped" in line


def test_a_wrong_hello_is_answered_by_nothing(served: Daemon, tmp_path: Path) -> None:
    connected = served.watchman()  # any socket, to see that the line there is another
    connected.close()
    before = len(served.log())
    with served.connect() as good:
        address = good.getpeername()
        with type(good)(good.family, good.type) as bad:
            bad.connect(address)
            bad.sendall(b"\1" + packet(1, FILE, tmp_path))
            assert bad.recv(1) == b""
    [line] = served.log()[before:]
    assert "hello" in line


def test_the_rest_of_a_packet_is_waited_for_without_delaying_others(
    shared: Daemon, tmp_path: Path
) -> None:
    whole = packet(7, FILE, tmp_path)
    with shared.connect() as slow:
        for byte in whole[:-1]:
            slow.sendall(bytes([byte]))
        assert works(shared, tmp_path / "box")
        slow.sendall(whole[-1:])
        slow.settimeout(10)
        assert slow.recv(4) == struct.pack("=HH", len(whole), 1)


def test_a_connection_that_ends_within_a_packet_is_not_logged(
    shared: Daemon, tmp_path: Path
) -> None:
    before = len(shared.log())
    with shared.connect() as leaving:
        leaving.sendall(packet(7, FILE, tmp_path)[:-1])
    assert works(shared, tmp_path / "box")
    assert shared.log()[before:] == []


def test_random_bytes_do_no_harm(served: Daemon, tmp_path: Path) -> None:
    dice = random.Random(1971)
    for _ in range(100):
        with served.connect() as bad:
            bad.sendall(dice.randbytes(dice.randrange(1, 2000)))
    for _ in range(100):
        with served.watchman() as bad:
            bad.sendall(dice.randbytes(dice.randrange(1, 2000)) + b"\n")
    assert works(served, tmp_path / "box")


def test_packets_that_are_nearly_right_do_no_harm(
    served: Daemon, tmp_path: Path
) -> None:
    dice = random.Random(1972)
    for _ in range(200):
        good = bytearray(packet(dice.randrange(9), dice.randrange(1, 4), tmp_path))
        good[dice.randrange(len(good))] = dice.randrange(256)
        with served.connect() as bad:
            bad.sendall(packet(3, FILE, tmp_path) + bytes(good) + packet(3, CANCEL))
    assert works(served, tmp_path / "box")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"nonsense", id="no JSON"),
        pytest.param(b"{}", id="no command"),
        pytest.param(b"[]", id="an empty command"),
        pytest.param(b'["no-such-command"]', id="an unknown command"),
        pytest.param(b'["query"]', id="no arguments"),
        pytest.param(b'["query", "/", {"expression": ["frob"]}]', id="unknown term"),
        pytest.param(b'["watch-project", "/no/such/place"]', id="no such root"),
        pytest.param(b'["watch-project", "/\\u0000"]', id="NUL in a path"),
        pytest.param(b'["watch-project", "relative"]', id="a relative path"),
        pytest.param(b'["watch-project", "/' + 5000 * b"x" + b'"]', id="a long path"),
        pytest.param(b"[" * 30_000, id="nested too deeply"),
        pytest.param(b"[" * 15_000 + b"]" * 15_000, id="nested deeply"),
        pytest.param(b"1" * 10_000, id="a large number"),
        pytest.param(b'"\xff\xfe"', id="not UTF-8"),
    ],
)
def test_a_bad_line_is_answered_and_the_connection_goes_on(
    shared: Daemon, line: bytes
) -> None:
    with shared.watchman() as connected:
        connected.settimeout(10)
        stream = connected.makefile("rwb")
        stream.write(line + b"\n" + b'["version"]\n')
        stream.flush()
        assert "error" in json.loads(stream.readline())
        assert "error" not in json.loads(stream.readline())
        stream.close()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"\0\3", id="a version that there is not"),
        pytest.param(b"\0\1\3\xff", id="a negative length"),
        pytest.param(b"\0\1\6" + b"\x7f" * 8, id="a length of exabytes"),
        pytest.param(b"\0\2\0\0\0\0\2", id="a length that is a string"),
    ],
)
def test_a_bad_header_of_bser_ends_the_connection_with_one_line(
    served: Daemon, header: bytes
) -> None:
    before = len(served.log())
    with served.watchman() as connected:
        connected.sendall(header)
        assert is_hung_up(connected)
    [line] = served.log()[before:]
    assert "dropped" in line


def test_a_line_without_an_end_is_cut_off(served: Daemon, tmp_path: Path) -> None:
    with served.watchman() as connected:
        connected.settimeout(10)
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            connected.sendall(b"x" * (32 << 20))
    assert works(served, tmp_path / "box")


def test_a_path_of_the_maximum_length_is_accepted(shared: Daemon) -> None:
    path = b"/" + b"/".join([b"x" * 200] * 20)
    longest = path + b"y" * (4095 - len(path))
    with shared.connect() as connected:
        connected.settimeout(10)
        connected.sendall(packet(1, FILE, longest))
        reported = b""
        while len(reported) < 2 * (10 + 4095):
            reported += connected.recv(1 << 16)
        assert reported == packet(1, 2, longest) + packet(1, 9, longest)


def test_file_names_cannot_forge_a_line(served: Daemon) -> None:
    before = len(served.log())
    with served.connect() as bad:
        bad.sendall(packet(1, 5, b"/x\ngam_server: all is well\x1b[2J"))
        assert is_hung_up(bad)
    [line] = served.log()[before:]
    assert "\x1b" not in line
