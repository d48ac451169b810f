"""Watches as `least_client` does, in a process of its own that only passes on paths."""

import os
import socket

from bench.peers.least_client import made, watch
from bench.peers.reporting import CREATED, Reporter
from gamin.system import inotify


def serve(root: str, connection: socket.socket, *, flat: bool) -> None:
    fd, paths = watch(root, flat=flat)
    connection.send(b"\0")
    while True:
        told = "\0".join(made(os.read(fd, inotify.BUFFER), paths))
        if told:
            connection.send(told.encode("utf-8", "surrogateescape"))


def main() -> None:
    reporter = Reporter()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        serve(reporter.root, theirs, flat=reporter.flat)
    theirs.close()
    ours.recv(1)
    reporter.ready()
    while data := ours.recv(inotify.BUFFER):
        for path in data.decode("utf-8", "surrogateescape").split("\0"):
            reporter.report(CREATED, path)


if __name__ == "__main__":
    main()
