"""Asks the server of the session one question, over the Watchman socket.

Never starts a server. The commands choose the question and interpret the reply.
"""

import os
import socket
from collections.abc import Mapping
from typing import Any, Self

from gamin.client.connect import connect_watchman
from gamin.client.locate import NoServer
from gamin.errors import GaminError
from gamin.protocol.watchman.client.session import (
    FIGURES,
    ClientSession,
    Message,
    Reply,
)
from gamin.system.address import Address, Transport, find
from gamin.system.dial import AddressInUse, dial_abstract
from gamin.system.peercred import peer_of
from gamin.system.proc import executable_of, program_of

REPLY_TIMEOUT = 10.0
"""Seconds to wait for a reply. A server in the middle of a large scan needs some."""

HOLDER_PATIENCE = 0.5
"""Seconds that the holder of an address may take to accept a connection."""

_READ_SIZE = 64 * 1024
"""Bytes per recv()."""


class NotRunning(GaminError):
    """No server runs for the session."""

    def __init__(self, address: object, holder: str = "") -> None:
        super().__init__(address, holder)
        self.address = address
        self.holder = holder
        """What has the address of the session instead, if anything."""

    def __str__(self) -> str:
        text = f"no server is running for {self.address}"
        return f"{text}: {self.holder}" if self.holder else text


class NoReply(GaminError):
    """The server gave no usable reply."""

    def __init__(self, question: str, reason: str) -> None:
        super().__init__(question, reason)
        self.question = question
        self.reason = reason

    def __str__(self) -> str:
        return f"the server did not answer {self.question!r}: {self.reason}"


class ControlConnection:
    """A connection for questions to the server. Use it in a `with`."""

    def __init__(self, connected: socket.socket, timeout: float) -> None:
        self._socket = connected
        self._socket.settimeout(timeout)
        self._session = ClientSession()
        self._figures: dict[str, Any] | None = None
        """The latest state that was pushed and that nobody has taken."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(self, question: str, *arguments: object) -> dict[str, Any]:
        """The members of the reply. Raises NoReply and RemoteProtocolError."""
        try:
            self._socket.sendall(self._session.request(question, *arguments))
            while data := self._socket.recv(_READ_SIZE):
                reply = self._received(data)
                if reply is not None:
                    return _checked(question, reply)
        except TimeoutError:
            raise NoReply(question, "it is busy or stopped") from None
        except OSError as error:
            raise NoReply(question, error.strerror or str(error)) from error
        raise NoReply(question, "it hung up")

    def subscribe_figures(self, seconds: float) -> None:
        """From now on the server sends its state at once and every so many seconds;
        see `figures`. Raises NoReply and RemoteProtocolError."""
        self.ask(FIGURES, seconds)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Readable when `figures` has something to return."""
        return self._socket.fileno()

    def figures(self) -> dict[str, Any] | None:
        """The latest state that has come in; None if none has since the last call.
        Raises NoReply if the server has ended, and RemoteProtocolError."""
        try:
            while data := self._socket.recv(_READ_SIZE):
                self._received(data)
        except BlockingIOError:
            found, self._figures = self._figures, None
            return found
        except OSError as error:
            raise NoReply(FIGURES, error.strerror or str(error)) from error
        raise NoReply(FIGURES, "it hung up")

    def _received(self, data: bytes) -> Reply | None:
        reply = None
        for received in self._session.received(data):
            if isinstance(received, Reply):
                reply = received
            elif isinstance(received, Message) and received.subscription == FIGURES:
                self._figures = received.value["figures"]
        return reply

    def await_end(self, patience: float | None = None) -> bool:
        """Wait until the server closes the connection; False if it is silent for so
        many seconds (None: the connection's time-out) and does not."""
        if patience is not None:
            self._socket.settimeout(patience)
        try:
            while self._socket.recv(_READ_SIZE):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass  # a reset ends the connection too
        return True


def dial(
    environ: Mapping[str, str] | None = None, *, timeout: float = REPLY_TIMEOUT
) -> ControlConnection:
    """Connect to the server of the session. Raises NotRunning and what
    `connect_watchman` raises for an unusable socket or server."""
    try:
        return ControlConnection(
            connect_watchman(start=False, environ=environ), timeout
        )
    except NoServer as error:
        raise NotRunning(error.address, holder_of(error.address)) from error


def holder_of(address: Address) -> str:
    """What has the abstract name although no server can be asked; empty if nothing."""
    if address.transport is Transport.DIRECTORY:
        return ""
    try:
        with dial_abstract(address, HOLDER_PATIENCE) as connected:
            pid = peer_of(connected).pid
    except AddressInUse as taken:
        return str(taken)
    except OSError:
        return ""
    if is_original(pid):
        return (
            f"process {pid}, the original gam_server, serves it in the original "
            f"protocol only (kill {pid} to make way for gamin)"
        )
    return f"process {pid} ({program_of(pid)}) has its address but not its socket"


def is_original(pid: int) -> bool:
    """Whether a process is gamin's C server; ours is a Python program."""
    try:
        program = executable_of(pid)
    except OSError:
        return False
    return os.path.basename(program) == b"gam_server"


def find_address(environ: Mapping[str, str] | None = None) -> Address:
    """The addresses of the session that the environment chooses. Raises
    InvalidSetting."""
    return find(os.environ if environ is None else environ, os.getuid())


def _checked(question: str, reply: Reply) -> dict[str, Any]:
    if reply.error is not None:
        raise NoReply(question, reply.error)
    return reply.value
