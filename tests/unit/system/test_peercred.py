"""The kernel's identification of the other end of a socket, with a real stranger."""

import os
import socket
from multiprocessing.connection import Connection

import pytest

from gamin.system.peercred import Peer, PeerRefused, check_peer, peer_of
from testkit.processes import NOBODY, beside, require_root


def call(pipe: Connection, name: bytes) -> None:
    """Connect to `name` and report what came back until the end."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect(name)
        pipe.send(connected.recv(16))


def test_our_own_process_is_known_and_trusted() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        expected = Peer(os.getpid(), os.getuid(), os.getgid())
        assert peer_of(ours) == expected
        assert check_peer(theirs) == expected


def test_another_uid_than_the_trusted_one_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(PeerRefused) as caught:
        check_peer(ours, uid=os.getuid() + 1)
    assert caught.value.peer.uid == os.getuid()
    assert str(os.getpid()) in str(caught.value)


def test_a_stranger_is_refused_without_a_byte(session: str) -> None:
    require_root()
    name = b"\0gamin-test-" + session.encode()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
        with beside(call, name, uid=NOBODY) as stranger:
            connected, _ = listening.accept()
            with connected, pytest.raises(PeerRefused) as caught:
                check_peer(connected)
            connected.close()
            assert stranger.recv() == b""
    assert caught.value.peer.uid == NOBODY
