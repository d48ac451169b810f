"""The addresses of a server: acquired so that one server of a session wins.

The server accepts callers, and decides who may stay.

The address of the original protocol decides who wins: of two servers started at the
same moment one gets it, and the other finds a live server there. The Watchman socket
follows, in the first directory that is safe; where none is, the server works without it
rather than not at all, since any user may squat our directory's name in /tmp.
"""

import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from gamin.daemon.io.listener import (
    LOCK_PATIENCE,
    AlreadyRunning,
    DirectoryRemoved,
    Language,
    Listener,
    OwnFile,
    PassedFile,
    SocketFile,
    bind_abstract,
    claim_abstract,
    claim_file,
)
from gamin.paths import printable
from gamin.system import reach
from gamin.system.address import Address, Transport
from gamin.system.dial import AddressInUse, dial, dial_file
from gamin.system.peercred import peer_of
from gamin.system.socketdir import UnsafeSocketPath, make_checked, open_checked

__all__ = [
    "AddressInUse",
    "AlreadyRunning",
    "Language",
    "Listener",
    "Listening",
    "acquire",
]

logger: logging.Logger = logging.getLogger(__name__)

_CALL_PATIENCE = 0.5
"""Seconds in which a live server, or a service manager, must queue a connection."""

_HANDOVER_PATIENCE = 0.8
"""Seconds in which another server must take the name for us to leave. libgamin, whose
program waits for one of us, gives up after 1.25 s."""

_PAUSE = 0.01
"""Seconds between two attempts to reach it."""

_TRIES = 5
"""Attempts to listen in a directory that ending servers remove."""


class Listening:
    """All the sockets of one server. Made by `acquire`."""

    def __init__(self, address: Address, listeners: list[Listener]) -> None:
        self.address = address
        self.listeners: list[Listener] = listeners
        self.superseded_by: AlreadyRunning | None = None
        """The server that has taken our address of the original language meanwhile."""
        self.other: AlreadyRunning | None = None
        """The server that has the socket of Watchman's language."""
        self.is_cut_off: bool = False
        """A socket is lost that only this server can make, and it could not."""
        self._logged: set[str] = set()
        self._is_closed = False

    def of(self, language: Language) -> list[Listener]:
        return [each for each in self.listeners if each.language is language]

    def restore(self) -> tuple[list[Listener], list[Listener]]:
        """Get what is missing: a socket whose file was deleted or went away with its
        runtime directory, an abstract name that was another's and is free now.

        Returns the listeners that were closed and those that are new. What cannot be
        had now, as without a free descriptor, is left to the next call. Cheap when
        nothing is missing. The moment to call it is when a caller leaves without a
        word: a client that cannot find us starts a server, which dials us and gives up.
        Nothing is missing after `close`: such a caller may be lost by our own end.
        """
        if self._is_closed:
            return [], []
        lost = [each for each in self.listeners if not each.is_reachable()]
        kept = [each for each in self.listeners if each not in lost]
        self.listeners = kept.copy()
        for listener in lost:
            logger.warning("%s was taken away; listening anew", listener.where)
            listener.close()
            if isinstance(listener.file, OwnFile):
                self._restore_own(listener.file)
        try:
            self._complete(patience=0.0)  # the loop must not wait
        except OSError as error:
            self._log_once(f"not all sockets are there: {error.strerror}")
        return lost, self.listeners[len(kept) :]

    def _restore_own(self, file: OwnFile) -> None:
        try:
            self.listeners.append(_adopt_own(file.listen_again()))
        except OSError as error:
            self.is_cut_off = True
            where = printable(file.path)
            logger.warning("%s cannot be made again: %s", where, error.strerror)

    def notify_removals(self) -> None:
        """Have the kernel send SIGIO when a socket file may have been removed, where
        the next server would not find us by a name that cannot be removed."""
        for each in self.listeners:
            if isinstance(each.file, OwnFile):
                each.file.notify_removals()
        if all(each.file is not None for each in self.listeners):
            for each in self.listeners:
                if isinstance(each.file, SocketFile):
                    each.file.directory.notify_removals()

    def close(self) -> None:
        """Stop listening, and remove the files that are still ours."""
        self._is_closed = True
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()

    def _complete(self, patience: float) -> None:
        """Add the listeners that the settings ask for and that can be had.

        `patience` is how many seconds to wait for the lock of a directory, and for
        another server to take a call.
        """
        abstract_is_ours = any(each.file is None for each in self.listeners)
        if self.address.transport is Transport.AUTO and not abstract_is_ours:
            abstract = bind_abstract(self.address)
            self.listeners += [abstract] if abstract else []
        if not self.of(Language.ORIGINAL):
            self._add(
                Language.ORIGINAL, self.address.directory, self.address.file, patience
            )
        if not self.of(Language.WATCHMAN):
            self._complete_watchman(patience)

    def _complete_watchman(self, patience: float) -> None:
        running = _watchman_server(self.address, patience)
        if running is not None:
            self.other = running
            self._log_once(f"no {Language.WATCHMAN.value} socket: {running}")
            return
        for directory in _watchman_directories(self.address):
            if self.of(Language.WATCHMAN):
                break
            if directory == self.address.state:
                _make_parents(directory)
            self._add(
                Language.WATCHMAN, directory, self.address.watchman_file, patience
            )

    def _add(
        self, language: Language, directory: bytes, name: bytes, patience: float
    ) -> None:
        try:
            listener = _claim_in(directory, name, language, self.address.uid, patience)
        except (AlreadyRunning, UnsafeSocketPath) as error:
            if isinstance(error, AlreadyRunning):
                if language is Language.WATCHMAN:
                    self.other = error
                else:
                    self.superseded_by = error
            self._log_once(f"no {language.value} socket: {error}")
        else:
            self.listeners.append(listener)

    def _log_once(self, text: str) -> None:
        if text not in self._logged:
            logger.warning("%s", text)
        self._logged.add(text)


def acquire(
    address: Address,
    passed: Sequence[socket.socket] = (),
    chosen: Sequence[socket.socket] = (),
    own: Sequence[socket.socket] = (),
) -> Listening:
    """Get the addresses of a session, or leave them to the server that has them.

    `passed` are the sockets that a service manager listens on for us; those that are
    not at an address of the session are closed. `chosen` are for Watchman's language
    wherever they are: whoever started us chose the place. `own` are such sockets, too,
    and made again when they are removed. Raises AlreadyRunning; AddressInUse where only
    the abstract name is allowed; and UnsafeSocketPath where only the directory is left
    and it is not fit.
    """
    adopted = [*map(_adopt, chosen), *map(_adopt_own, own)]
    adopted += _adopted(address, passed)
    listening = _claimed(address, adopted)
    other = listening.other
    if adopted or other is None or address.transport is Transport.DIRECTORY:
        return listening
    # Somebody serves Watchman's language here, or a service manager listens for a
    # server. Two servers would split the programs of the user, so we leave, with all
    # addresses free, if the other one takes the name that libgamin dials: our call
    # makes a manager start its server, and a server look for what it may take.
    listening.close()
    _watchman_server(address)
    if _is_served_soon(address):
        raise other
    return _claimed(address, adopted)


def _claimed(address: Address, adopted: list[Listener]) -> Listening:
    """What is free of the addresses, besides the sockets that were passed."""
    unsafe: UnsafeSocketPath | None = None
    try:
        listening = Listening(address, [_first(address), *adopted])
    except UnsafeSocketPath as error:
        # Others have all names of the original language. They cannot have those of
        # Watchman's language in a place where only the user can write.
        if address.transport is not Transport.AUTO or address.state is None:
            raise
        unsafe = error
        listening = Listening(address, adopted)
    except AlreadyRunning as running:
        if not adopted:
            raise
        # A caller waits at the socket that was passed, and the manager would start us
        # again and again for it. The other server leaves as soon as it is idle.
        logger.warning("%s; serving the sockets that were passed", running)
        listening = Listening(address, adopted)
    try:
        listening._complete(LOCK_PATIENCE)
        if unsafe is not None and not listening.listeners:
            raise listening.other or unsafe
    except BaseException:
        listening.close()
        raise
    return listening


def _watchman_directories(address: Address) -> list[bytes]:
    """Where the Watchman socket may be; without a home directory on a mount that may
    not answer, for the loop uses these. `reach` knows the mounts."""
    return [
        directory
        for directory in address.watchman_directories
        if directory != address.state or _is_near(directory)
    ]


def _is_near(directory: bytes) -> bool:
    try:
        return reach.distant_point(directory) is None
    except OSError:  # nothing is mounted there, and looking would mount it
        return False


def _watchman_server(
    address: Address, patience: float = _CALL_PATIENCE
) -> AlreadyRunning | None:
    """The server that is found, by a call, where a client looks for one."""
    for directory in _watchman_directories(address):
        with suppress(OSError, UnsafeSocketPath):
            opened = open_checked(directory, address.uid)
            if opened is None:
                continue
            with opened:
                name = address.watchman_file
                if opened.has_socket(name):
                    with dial_file(
                        *(opened, name, min(patience, _CALL_PATIENCE)),
                        any_mounts=address.any_mounts,
                    ) as live:
                        path = printable(directory + b"/" + name)
                        return AlreadyRunning(path, peer_of(live).pid)
    return None


def _is_served_soon(address: Address) -> bool:
    """Whether another server has the abstract name, now or in a moment."""
    deadline = time.monotonic() + _HANDOVER_PATIENCE
    while time.monotonic() < deadline:
        try:
            dial(address.abstract, _CALL_PATIENCE).close()
        except OSError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def _watchman_places(address: Address) -> list[bytes]:
    """The paths at which a client looks for the socket of Watchman's language."""
    return [
        directory + b"/" + address.watchman_file
        for directory in address.watchman_directories
    ]


def _adopted(address: Address, passed: Sequence[socket.socket]) -> list[Listener]:
    """Listeners for the sockets that are where a client would look."""
    places = _watchman_places(address)
    adopted = []
    for each in passed:
        path = os.fsencode(each.getsockname())
        if path in places:
            adopted.append(_adopt(each))
        else:
            logger.warning("%s is no address of this session", printable(path))
            each.close()
    return adopted


def _adopt(passed: socket.socket) -> Listener:
    path = os.fsencode(passed.getsockname())
    return Listener(Language.WATCHMAN, passed, printable(path), PassedFile(path))


def _adopt_own(own: socket.socket) -> Listener:
    path = os.fsencode(own.getsockname())
    return Listener(Language.WATCHMAN, own, printable(path), OwnFile(path))


def _first(address: Address) -> Listener:
    """The address that decides which server wins."""
    if address.transport is not Transport.DIRECTORY:
        try:
            return claim_abstract(address)
        except AddressInUse as taken:
            if address.transport is Transport.ABSTRACT:
                raise
            logger.warning("using the directory, because %s", taken)
    return _claim_in(address.directory, address.file, Language.ORIGINAL, address.uid)


def _claim_in(
    directory: bytes,
    name: bytes,
    language: Language,
    uid: int,
    patience: float = LOCK_PATIENCE,
) -> Listener:
    """Make the directory and listen in it; again if a server that ends removes it."""
    for _ in range(_TRIES):
        opened = make_checked(directory, uid)
        try:
            return claim_file(opened, name, language, patience)
        except DirectoryRemoved:
            opened.close()
        except BaseException:
            opened.close()
            raise
    raise UnsafeSocketPath(directory, "it is removed as often as it is made")


def _make_parents(directory: bytes) -> None:
    """Those below a home directory may be missing. What fails is found out later."""
    with suppress(OSError):
        os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
