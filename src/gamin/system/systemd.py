"""The protocol of a service manager: passed sockets, and notifications.

The protocols are systemd's: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
They need no library: three variables of the environment and one datagram socket.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START: sockets that are passed on follow the standard streams."""

VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
"""Meant for one process alone; its children must not see them."""


def descriptor_count(environ: Mapping[str, str], pid: int) -> int:
    """How many sockets were passed to process `pid`: descriptors from 3 on.

    0 where the variables are missing, are not numbers, or are meant for another
    process, such as the parent that started this one.
    """
    if environ.get("LISTEN_PID") != str(pid):
        return 0
    text = environ.get("LISTEN_FDS", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def passed_sockets(environ: Mapping[str, str], pid: int) -> list[socket.socket]:
    """The listening Unix sockets that were passed to process `pid`, non-blocking.

    Other descriptors among them are closed: nobody would ever serve them.
    """
    count = descriptor_count(environ, pid)
    found = []
    for descriptor in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count):
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
        found.append(passed)
    return found


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
