"""The addresses of a server: acquired so that one server of a session wins.

Accepting, the hello and who may stay are left to the server.

The address of the original protocol decides who wins: of two servers started at the
same moment one gets it, and the other finds a live server there. The modern socket
follows, in the first directory that is fit; where none is, we work without it
rather than not at all, since any user may squat our directory's name in /tmp.
"""

import logging

from gamin.daemon.io.listener import (
    LOCK_PATIENCE,
    AlreadyRunning,
    DirectoryRemoved,
    Language,
    Listener,
    bind_abstract,
    claim_abstract,
    claim_file,
)
from gamin.system.address import Address, Transport
from gamin.system.dial import AddressInUse
from gamin.system.socketdir import UnsafeSocketPath, make_checked

__all__ = [
    "AddressInUse",
    "AlreadyRunning",
    "Language",
    "Listener",
    "Listening",
    "acquire",
]

logger = logging.getLogger(__name__)

_TRIES = 5
"""Attempts to listen in a directory that ending servers remove."""


class Listening:
    """All the sockets of one server. Made by `acquire`."""

    def __init__(self, address: Address, first: Listener) -> None:
        self.address = address
        self.listeners = [first]
        self._said: set[str] = set()

    def of(self, language: Language) -> list[Listener]:
        return [each for each in self.listeners if each.language is language]

    def restore(self) -> tuple[list[Listener], list[Listener]]:
        """Get what is missing: a socket whose file was deleted or went away with its
        runtime directory, an abstract name that was another's and is free now.

        Returns the listeners that were closed and those that are new. What cannot be
        had now, as without a free descriptor, is left to the next call. Cheap when
        nothing is missing. The moment to call it is when a caller leaves without a
        word: a client that cannot find us starts a server, which dials us and gives up.
        """
        lost = [each for each in self.listeners if not each.is_reachable()]
        for listener in lost:
            logger.warning("%s was taken away; listening anew", listener.where)
            listener.close()
        kept = [each for each in self.listeners if each not in lost]
        self.listeners = kept.copy()
        try:
            self._complete(patience=0.0)  # the loop must not wait
        except OSError as error:
            self._say_once(f"not all sockets are there: {error.strerror}")
        return lost, self.listeners[len(kept) :]

    def close(self) -> None:
        """Stop listening, and remove the files that are still ours."""
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()

    def _complete(self, patience: float) -> None:
        """Add the listeners that the settings ask for and that can be had.

        `patience` is how many seconds to wait for the lock of a directory.
        """
        abstract_is_ours = any(each.file is None for each in self.listeners)
        if self.address.transport is Transport.AUTO and not abstract_is_ours:
            abstract = bind_abstract(self.address)
            self.listeners += [abstract] if abstract else []
        if not self.of(Language.ORIGINAL):
            self._add(
                Language.ORIGINAL, self.address.directory, self.address.file, patience
            )
        for directory in self.address.modern_directories:
            if not self.of(Language.MODERN):
                self._add(
                    Language.MODERN, directory, self.address.modern_file, patience
                )

    def _add(
        self, language: Language, directory: bytes, name: bytes, patience: float
    ) -> None:
        try:
            listener = _claim_in(directory, name, language, self.address.uid, patience)
        except (AlreadyRunning, UnsafeSocketPath) as error:
            self._say_once(f"no {language.value} socket: {error}")
        else:
            self.listeners.append(listener)

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            logger.warning("%s", text)
        self._said.add(text)


def acquire(address: Address) -> Listening:
    """Get the addresses of a session, or leave them to the server that has them.

    Raises AlreadyRunning; AddressInUse where only the abstract name is allowed; and
    UnsafeSocketPath where only the directory is left and it is not fit.
    """
    listening = Listening(address, _first(address))
    try:
        listening._complete(LOCK_PATIENCE)
    except BaseException:
        listening.close()
        raise
    return listening


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
