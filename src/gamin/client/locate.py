"""Finds the server of a session, at every place that the rules allow.

`connect` starts a server where there is none, and tries again.
"""

import os
import shlex
import socket
from collections.abc import Sequence
from contextlib import suppress

from gamin.errors import RemoteProtocolError, ServerError
from gamin.system.address import Address, Transport
from gamin.system.dial import AddressInUse, ServerBusy, dial_abstract, dial_file
from gamin.system.peercred import HELLO, peer_of
from gamin.system.socketdir import UnsafeSocketPath, open_checked

_CALL_PATIENCE = 0.5
"""Seconds that a listening server may take to accept a connection."""
ANSWER_PATIENCE = 5.0
"""Seconds that a server may take for its first answer. The original blocks while it
writes to any of its clients, so this is long."""


class NoServer(ServerError):
    """No server runs for the session, and the caller did not want one started."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self.address = address

    def __str__(self) -> str:
        return f"no server runs for {self.address} (gam_server starts one)"


class ServerNotStarted(ServerError):
    """A server was started, and none can be reached."""

    def __init__(
        self,
        address: Address,
        command: Sequence[str],
        problem: str,
        *,
        has_run: bool = True,
    ) -> None:
        """`has_run`: the command could be executed, so running it may show more."""
        super().__init__(address, command, problem)
        self.address = address
        self.command = command
        self.problem = problem
        self.has_run = has_run

    def __str__(self) -> str:
        text = f"no server could be started for {self.address}: {self.problem}"
        if not self.has_run:
            return text
        session = shlex.quote(os.fsdecode(self.address.session))
        program = shlex.join(self.command)
        return f"{text} (to see why, run GAM_CLIENT_ID={session} {program})"


class ServerUnresponsive(ServerError):
    """A server of ours has the address but does not answer; it may be stopped."""

    def __init__(self, address: Address, pid: int) -> None:
        super().__init__(address, pid)
        self.address = address
        self.pid = pid  # 0 when it did not even take the call

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "a process"
        return (
            f"{who} holds {self.address} but does not answer "
            "(end it to make way for a new server)"
        )


class Locator:
    """Tries to reach a server, as often as asked.

    Remembers what it has warned of, and what went wrong for `explain`.
    """

    def __init__(
        self, address: Address, *, answer_patience: float = ANSWER_PATIENCE
    ) -> None:
        self.address = address
        self._answer_patience = answer_patience
        self._warned = False
        self._closed_by = 0

    def gam(self) -> socket.socket | None:
        """Return a connection for libgamin's language, greeted; None if no server runs.

        Raises ServerUnresponsive, RemoteProtocolError, AddressInUse and
        UnsafeSocketPath.
        """
        self._closed_by = 0
        if self.address.transport is Transport.DIRECTORY:
            return self._greet(self._dial_original_file())
        try:
            return self._greet(self._dial_abstract())
        except ConnectionRefusedError:
            if self.address.transport is Transport.ABSTRACT:
                return None
            # It may have gone to the directory while a stranger had the name. But
            # who merely squats the directory must not keep us from the name.
            with suppress(UnsafeSocketPath):
                return self._greet(self._dial_original_file())
            return None
        except ServerBusy as busy:
            # Another server beside it would split the programs of the user.
            raise ServerUnresponsive(self.address, busy.pid) from busy
        except AddressInUse as taken:
            if self.address.transport is Transport.ABSTRACT:
                raise
            self._warn(f"using the directory, because {taken}")
            return self._greet(self._dial_original_file())

    def watchman(self) -> socket.socket | None:
        """Return a connection for Watchman's language; None if no server runs.

        Raises ServerUnresponsive, and UnsafeSocketPath when no directory is left.
        """
        unsafe: list[UnsafeSocketPath] = []
        for directory in self.address.watchman_directories:
            try:
                connected = self._dial_in(directory, self.address.watchman_file)
            except UnsafeSocketPath as error:
                unsafe.append(error)
            else:
                if connected is not None:
                    return connected
        if len(unsafe) == len(self.address.watchman_directories):
            raise unsafe[0]
        return None

    def explain(self) -> str:
        """Say why no server was found, as far as that can be known."""
        if self._closed_by:
            return f"process {self._closed_by} closes every connection"
        with suppress(OSError, AddressInUse):
            with dial_abstract(self.address, _CALL_PATIENCE) as holder:
                pid = peer_of(holder).pid
            return f"process {pid} holds it, and speaks only the original protocol"
        return "it cannot be reached"

    def _dial_abstract(self) -> socket.socket:
        try:
            return dial_abstract(self.address, _CALL_PATIENCE)
        except ServerBusy:  # very many call at once
            return dial_abstract(self.address, self._answer_patience)

    def _dial_original_file(self) -> socket.socket | None:
        return self._dial_in(self.address.directory, self.address.file)

    def _dial_in(self, path: bytes, name: bytes) -> socket.socket | None:
        directory = open_checked(path, self.address.uid)
        if directory is None:
            return None
        with directory:
            if not directory.has_socket(name):
                return None
            try:
                any_mounts = self.address.any_mounts
                return dial_file(directory, name, _CALL_PATIENCE, any_mounts=any_mounts)
            except (ConnectionRefusedError, FileNotFoundError):
                return None
            except BlockingIOError as error:
                raise ServerUnresponsive(self.address, 0) from error

    def _greet(self, connected: socket.socket | None) -> socket.socket | None:
        """Exchange hellos. None if the server hangs up, as one does that is ending."""
        if connected is None:
            return None
        try:
            answer = self._exchange_hellos(connected)
        except BaseException:
            connected.close()
            raise
        if answer:
            return connected
        self._closed_by = peer_of(connected).pid
        connected.close()
        return None

    def _exchange_hellos(self, connected: socket.socket) -> bytes:
        connected.settimeout(self._answer_patience)
        try:
            connected.sendall(HELLO)
            answer = connected.recv(1)
        except TimeoutError as error:
            raise ServerUnresponsive(self.address, peer_of(connected).pid) from error
        except (BrokenPipeError, ConnectionResetError):
            return b""
        if answer and answer != HELLO:
            raise RemoteProtocolError(f"the server said {answer!r} instead of hello")
        connected.settimeout(None)
        return answer

    def _warn(self, text: str) -> None:
        """Log the text, once in the life of this object."""
        # Imported late: a client seldom has anything to say.
        import logging

        if not self._warned:
            logging.getLogger(__name__).warning("%s", text)
        self._warned = True
