"""Watches a tree with nothing but the system calls, and prints what is made in it."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from bench.peers.reporting import CREATED, Reporter
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)
from gamin.system import inotify, libc

MASK = CREATE | DELETE | MOVED_FROM | MOVED_TO | MODIFY | CLOSE_WRITE | ATTRIB


class RawEvent(NamedTuple):
    """One record of what read() returned."""

    watch: int
    mask: int
    cookie: int
    name: bytes  # empty when the event is about the watched directory itself


def decode(buffer: bytes) -> Iterator[RawEvent]:
    """Split what one read() returned; the kernel never writes half an event."""
    offset = 0
    while offset < len(buffer):
        watch, mask, cookie, size = inotify.HEADER.unpack_from(buffer, offset)
        offset += inotify.HEADER.size
        name = buffer[offset : offset + size].rstrip(b"\0")
        offset += size
        yield RawEvent(watch, mask, cookie, name)


def watch(root: str, *, flat: bool) -> tuple[int, dict[int, bytes]]:
    """An inotify descriptor, and the path of each watch."""
    fd = libc.inotify_init1(os.O_CLOEXEC)
    paths: dict[int, bytes] = {}
    stack = [os.fsencode(root)]
    while stack:
        path = stack.pop()
        paths[libc.inotify_add_watch(fd, path, MASK)] = path
        for entry in os.scandir(path):
            if not flat and entry.is_dir(follow_symlinks=False):
                stack.append(entry.path)
    return fd, paths


def made(buffer: bytes, paths: dict[int, bytes]) -> Iterator[str]:
    for event in decode(buffer):
        if event.mask & CREATE:
            yield os.fsdecode(paths[event.watch] + b"/" + event.name)


def main() -> None:
    reporter = Reporter()
    fd, paths = watch(reporter.root, flat=reporter.flat)
    reporter.ready()
    while True:
        for path in made(os.read(fd, inotify.BUFFER), paths):
            reporter.report(CREATED, path)


if __name__ == "__main__":
    main()
