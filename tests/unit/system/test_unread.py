import socket

from gamin.system.unread import unread_bytes


def test_what_the_other_end_has_not_read_is_counted() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert unread_bytes(ours) == 0
        ours.sendall(b"some text")
        assert unread_bytes(ours) > 0
        theirs.recv(4)
        assert unread_bytes(ours) > 0
        theirs.recv(100)
        assert unread_bytes(ours) == 0


def test_a_socket_of_another_kind_counts_as_read() -> None:
    with socket.socket() as alone:
        assert unread_bytes(alone) == 0
