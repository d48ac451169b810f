"""Recognizes a client of libgamin's language that had a connection to another server.

`gam_memory` argues how it is recognized.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gamin.core.coverage.recovery import MARGIN_NS
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.gam_gap import PathGap
from gamin.paths import printable
from gamin.protocol.gam.server import Monitor
from gamin.state.client_store import PATHS_PER_READ, ClientStore, PathKey
from gamin.state.place import Unusable
from gamin.state.saved_client import (
    Asked,
    ClientKey,
    PastClient,
    PathBelief,
    ServerKey,
)
from gamin.system import errands
from gamin.system.clock import real_time_offset_ns
from gamin.system.errands import Distant
from gamin.system.file_system_id import FileSystemIds

if TYPE_CHECKING:
    from gamin.daemon.sessions.hub import Service

logger: logging.Logger = logging.getLogger(__name__)


class PastClients:
    """The clients of earlier servers, as far as they are saved."""

    def __init__(
        self,
        service: "Service",
        store: ClientStore,
        directory: bytes,
        server: ServerKey,
    ) -> None:
        self._service = service
        self._store = store
        self._directory = directory
        self._server = server
        self._file_systems = FileSystemIds()
        self._found: set[ClientKey] = set()
        """Those that have come back."""

    def find(self, process: bytes, requests: Sequence[Monitor]) -> "Repetition | None":
        """The client of this process that made most of these requests first. Raises
        Unusable."""
        of_process = partial(self._store.of_process, process)
        try:
            found = errands.at(self._directory, of_process)
        except Distant:
            return None  # a thread would have to read it
        now_ns = time.time_ns()
        best: tuple[int, PastClient | None] = 0, None
        for past in found:
            if past.key in self._found or past.key[:2] == self._server:
                continue
            if past.completeness.complete_ns > now_ns:
                logger.warning("the clock was set back: a gap is not known")
                continue
            count = _matches(past, requests, self._service.absolute)
            if count > best[0]:
                best = count, past
        _, client = best
        if client is None:
            return None
        self._found.add(client.key)
        return Repetition(self, client)

    def beliefs(
        self, past: PastClient, keys: Sequence[PathKey]
    ) -> dict[PathKey, PathBelief]:
        """What a client knew of these paths."""
        try:
            return self._store.paths(ServerKey(*past.key[:2]), keys)
        except Unusable as error:
            logger.warning("nothing is remembered: %s", printable(str(error)))
            return {}

    def gap(
        self, past: PastClient, belief: PathBelief, subscription: Subscription
    ) -> PathGap:
        completeness = past.completeness
        # What happened after the clock was set back has earlier times.
        set_back_ns = max(0, completeness.clock_offset_ns - real_time_offset_ns())
        since_ns = max(1, completeness.complete_ns - set_back_ns - MARGIN_NS)
        tree, mounts = self._service.monitor.tree, self._service.mounts
        beside = tree, self._file_systems, mounts
        return PathGap(belief, subscription, since_ns, *beside)


class Repetition:
    """The requests of a client that comes back, which come in their order."""

    def __init__(self, clients: PastClients, past: PastClient) -> None:
        self._clients = clients
        self._past = past
        self._next = 0
        """The first of its requests that can come next."""
        self._is_over = False
        self._beliefs: dict[PathKey, PathBelief] = {}
        self._read = 0
        """Requests whose paths were read."""

    def gap(self, request: Monitor, subscription: Subscription) -> PathGap | None:
        """What the client is owed for the next request; None if nothing is known."""
        if self._is_over or not request.no_exists:
            self._is_over = True
            return None
        asked = self._past.asked
        wanted = asked_by(subscription)
        try:
            place = asked.index(wanted, self._next)
        except ValueError:  # it was made after the last save, and all others are
            self._is_over = True
            self._beliefs.clear()
            return None
        self._next = place + 1
        while self._read <= place:
            some = asked[self._read : self._read + PATHS_PER_READ]
            keys = [(each.way, each.is_directory) for each in some]
            self._beliefs |= self._clients.beliefs(self._past, keys)
            self._read += len(some)
        belief = self._beliefs.get((wanted.way, wanted.is_directory))
        if belief is None:
            return None
        return self._clients.gap(self._past, belief, subscription)

    @property
    def is_over(self) -> bool:
        """The client repeats nothing more."""
        return self._is_over or self._next == len(self._past.asked)

    @property
    def client(self) -> ClientKey:
        """The connection to the earlier server."""
        return self._past.key


def path_key(subscription: Subscription) -> PathKey:
    """By what the belief of a path is saved."""
    is_directory = subscription.scope is Scope.DIRECTORY
    return subscription.request.resolve_path, is_directory


def asked_by(subscription: Subscription) -> Asked:
    """The request of a subscription, as it is saved."""
    sequence = subscription.client_key
    assert isinstance(sequence, int)
    way, is_directory = path_key(subscription)
    return Asked(sequence, is_directory, subscription.path, way)


def _matches(
    past: PastClient, requests: Sequence[Monitor], absolute: Callable[[bytes], bytes]
) -> int:
    """How many of the first requests of a client are those of a past one, in their
    order."""
    count = place = 0
    for request in requests:
        path = request.path
        asked = Asked(request.sequence, request.directory, path, absolute(path))
        try:
            place = past.asked.index(asked, place) + 1
        except ValueError:
            break
        count += 1
    return count
