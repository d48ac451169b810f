"""The protocol of a service manager: passed sockets, and notifications.

The protocols are systemd's: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
They need no library: three variables of the environment and one datagram socket.
"""

import fcntl
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START: sockets that are passed on follow the standard streams."""

VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
"""Meant for one process alone; its children must not see them."""

LOCK = "lock"
"""The name, in LISTEN_FDNAMES, of a descriptor that only has to stay open: the process
holds a lock for as long as it lives."""

CHOSEN = "watchman"
"""The name of a socket for Watchman's language that is served wherever it is."""

OWN = "watchman-own"
"""As CHOSEN, for a socket whose file the program made that became the server: there is
nobody else who would make it again."""

ANYWHERE = (CHOSEN, OWN)
"""Names of sockets that need not be at an address of the session."""


class PassedSocket(NamedTuple):
    """A listening Unix socket, non-blocking."""

    socket: socket.socket
    name: str
    """What LISTEN_FDNAMES calls it; empty without that variable."""


def descriptor_count(environ: Mapping[str, str], pid: int) -> int:
    """How many sockets were passed to process `pid`: descriptors from 3 on.

    0 where the variables are missing, are not numbers, or are meant for another
    process, such as the parent that started this one.
    """
    if environ.get("LISTEN_PID") != str(pid):
        return 0
    text = environ.get("LISTEN_FDS", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def descriptor_names(environ: Mapping[str, str], pid: int) -> list[str]:
    """What the descriptors that were passed to process `pid` are called."""
    count = descriptor_count(environ, pid)
    text = environ.get("LISTEN_FDNAMES", "")
    names = text.split(":")[:count] if text else []
    return names + [""] * (count - len(names))


def passed_sockets(environ: Mapping[str, str], pid: int) -> list[PassedSocket]:
    """The listening Unix sockets that were passed to process `pid`.

    Other descriptors among them are closed, for nobody would ever serve them. Locks
    stay.
    """
    found = []
    for number, name in enumerate(descriptor_names(environ, pid)):
        descriptor = FIRST_DESCRIPTOR + number
        if name == LOCK:
            with suppress(OSError):
                os.set_inheritable(descriptor, False)
            continue
        try:
            passed = socket.socket(fileno=descriptor)
        except OSError:
            with suppress(OSError):
                os.close(descriptor)
            continue
        listens = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if passed.family != socket.AF_UNIX or not listens:
            passed.close()
            continue
        passed.setblocking(False)
        passed.set_inheritable(False)
        found.append(PassedSocket(passed, name))
    return found


def pass_on(
    descriptors: Sequence[tuple[str, int]], environ: Mapping[str, str]
) -> dict[str, str]:
    """Pass descriptors, each with its name, on to the program that this process is
    about to become, besides those that it was passed itself. Returns the variables for
    the environment of that program."""
    pid = os.getpid()
    names = descriptor_names(environ, pid)
    first = FIRST_DESCRIPTOR + len(names)
    # One of them may have the number that another one is to get.
    end = first + len(descriptors)
    copies = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, end) for _, each in descriptors]
    for number, copy in enumerate(copies, first):
        os.dup2(copy, number)
        os.close(copy)
    names += [name for name, _ in descriptors]
    values = str(pid), str(len(names)), ":".join(names)
    return dict(zip(VARIABLES, values, strict=True))


def watchdog_seconds(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two signs of life: half of what the manager waits for one.

    None where it waits for none from process `pid`.
    """
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        return None
    return int(text) / 2e6


class Notifier:
    """Reports the state of this process to the service manager, where there is one.

    A report that cannot be sent is dropped: the manager then does what it does with a
    service that is silent, and nothing of that is our business.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        place = environ.get("NOTIFY_SOCKET", "")
        is_abstract = place.startswith("@")
        self._place = "\0" + place[1:] if is_abstract else place
        self._is_wanted = is_abstract or place.startswith("/")

    def ready(self) -> None:
        """The server can be reached."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """The loop runs; due every `watchdog_seconds`."""
        self._send(b"WATCHDOG=1")

    def stopping(self) -> None:
        """The server ends."""
        self._send(b"STOPPING=1")

    def _send(self, state: bytes) -> None:
        if not self._is_wanted:
            return
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        ):
            sender.setblocking(False)
            sender.sendto(state, self._place)
