"""Saves what clients of libgamin's language believe, and finds it again.

The loop's thread collects it in slices, and a thread writes it. What is wrong with the
store never harms a client: it receives nothing of the time without a server, as from a
server that remembers nothing, and the log says why.
"""

import logging
import os
import stat
import threading
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.gam_repetition import (
    PastClients,
    Repetition,
    asked_by,
    path_key,
)
from gamin.paths import printable
from gamin.protocol.gam.server import Monitor
from gamin.state.client_store import Change, ClientStore, PathKey
from gamin.state.place import Place, Unusable
from gamin.state.saved_client import (
    ClientKey,
    Completeness,
    PathBelief,
    SavedClient,
    ServerKey,
)
from gamin.state.store import Store
from gamin.system import reach
from gamin.system.clock import real_time_offset_ns
from gamin.system.file_system_id import FileSystemIds
from gamin.system.process_identity import identity_of, is_running

if TYPE_CHECKING:
    from gamin.daemon.sessions.gam import GamSession
    from gamin.daemon.sessions.hub import Service

logger: logging.Logger = logging.getLogger(__name__)

PATHS_PER_STEP = 64
"""Paths that are collected before other work runs."""
REQUESTS_PER_STEP = 512
"""Requests of a client that are collected before other work runs."""
END_SECONDS = 0.5
"""Seconds that the end waits for a state directory whose mount does not answer."""
MAX_FINAL_SAVES = 2
"""Attempts to save at the end: what has changed, and then everything."""


class _Clients(NamedTuple):
    changed: "dict[GamSession, SavedClient]"
    """Those with other requests than are saved."""
    versions: "dict[GamSession, int]"
    """Of the requests of each client that is to be kept."""


class GamSaving:
    def __init__(
        self, service: "Service", directory: bytes, session: bytes, start: int
    ) -> None:
        self._service = service
        self._server = ServerKey(start, os.getpid())
        self._store = ClientStore(Store(Place(directory, session, os.getuid())))
        self._directory = directory
        self._file_systems = FileSystemIds()
        self._complained = ""
        self._writer: threading.Thread | None = None
        self._is_saved = False
        """Everything is in the store that is not noted as new."""
        self._is_written = False
        """The writer has succeeded."""
        self._kept: dict[GamSession, int] = {}
        """The clients that are saved, and the version of their requests."""
        self._keys: dict[GamSession, tuple[ClientKey, bytes]] = {}
        """By which each client is known, and its process."""
        self._replaced: dict[GamSession, ClientKey] = {}
        """Which client of an earlier server each one is."""
        self._past_clients = PastClients(service, self._store, directory, self._server)

    @property
    def is_writing(self) -> bool:
        return self._writer is not None and self._writer.is_alive()

    @property
    def _is_far(self) -> bool:
        """Whether the store is on a mount that may not answer."""
        return reach.distant_point(self._directory) is not None

    def wait(self) -> bool:
        """Wait until nothing is written; False if a mount does not answer."""
        if self._writer is not None:
            self._writer.join(END_SECONDS if self._is_far else None)
        return not self.is_writing

    # -- saving

    def steps(self, noted: set[Subscription]) -> Generator[None, None, bool]:
        """Collect what was noted, and have a thread write it. Yields where other work
        may run; takes out of `noted` what will be saved."""
        change = yield from self._collecting(noted)
        return change is not None and self._start_writing(change)

    def save(self, noted: set[Subscription]) -> None:
        """Save in one go, at the end of the server."""
        if not self.wait():
            return  # the store is on a mount that does not answer
        for session in self._clients():
            session.release_held()
        for _ in range(MAX_FINAL_SAVES):
            change = _result(self._collecting(noted))
            if change is None:
                return
            if self._is_far:
                self._start_writing(change)
                self.wait()
                return
            self._write(change, is_first=not self._is_saved)
            self._is_saved = self._is_written
            if self._is_saved:
                return
            # The store is not the one to which this was to be added: save all of it.

    def _clients(self) -> "list[GamSession]":
        sessions = [s for s in self._service.sessions if _is_gam(s)]
        return cast("list[GamSession]", sessions)

    def _collecting(
        self, noted: set[Subscription]
    ) -> Generator[None, None, Change | None]:
        service = self._service
        if self._writer is not None:
            self._writer.join()  # it has ended
            self._writer = None
            self._is_saved = self._is_written
        service.drive.synchronise()
        yield from service.drive.removing()
        service.flush()
        complete_ns = self._complete_ns()
        if complete_ns is None:
            return None
        if not self._is_saved:
            self._kept.clear()
            for session in self._clients():
                noted.update(session.subscriptions)
        paths: dict[PathKey, PathBelief | None] = {}
        collected: list[Subscription] = []
        while noted:
            subscription = noted.pop()
            if subscription.client not in service.sessions:
                continue
            collected.append(subscription)
            paths[path_key(subscription)] = self._belief(subscription)
            if len(collected) % PATHS_PER_STEP == 0:
                yield
        found = yield from self._changed_clients()
        service.drive.synchronise()
        service.flush()
        # Another object may have come to the path before its identity was looked for.
        for subscription in noted.intersection(collected):
            belief = paths[path_key(subscription)]
            if belief is not None:
                paths[path_key(subscription)] = belief._replace(identity=None)
        clients = [c for session, c in found.changed.items() if not session.is_behind]
        gone = self._update_kept(found.versions)
        completeness = Completeness(complete_ns, real_time_offset_ns())
        return Change(self._server, completeness, clients, gone, list(paths.items()))

    def _complete_ns(self) -> int | None:
        """Real time up to which everything was reported; None: something was lost and
        is not found yet, or is gone and not removed yet."""
        monitor = self._service.monitor
        if monitor.recovery.is_unresolved or monitor.is_removing:
            return None
        complete_ns = monitor.recovery.complete_until_ns or time.time_ns()
        delay = monitor.longest_undetected
        if monitor.flow.busy:
            delay += monitor.flow.settings.report_interval
        return complete_ns - int(delay * 1e9)

    def _belief(self, subscription: Subscription) -> PathBelief | None:
        """What was reported of the path; None where that is not known for certain."""
        target = subscription.current_target
        if target is None:
            return None
        node, entry, _ = target
        if node is None:
            return PathBelief(False)
        path = node.path()
        if entry is not None:
            path = path.rstrip(b"/") + b"/" + entry
        if reach.distant_point(path) is not None:
            return None  # only a thread could look there
        identity = self._identity(path, is_directory=entry is None)
        if subscription.scope is Scope.FILE or entry is not None:
            return PathBelief(True, identity)
        return PathBelief(True, identity, *_names(node))

    def _identity(self, path: bytes, *, is_directory: bool) -> tuple[int, int] | None:
        try:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode) is not is_directory:
                return None
            return self._file_systems.of(status.st_dev, path), status.st_ino
        except OSError:
            return None

    def _changed_clients(self) -> "Generator[None, None, _Clients]":
        """One that has not received everything is not to be kept: its belief is older
        than what is saved of the paths."""
        found = _Clients({}, {})
        for session in self._clients():
            key, process = self._key_of(session)
            has_asked = session.subscription_count > 0
            if not process or not has_asked or session.is_behind:
                continue
            version = found.versions[session] = session.requests_version
            if self._kept.get(session) == version:
                continue
            asked = []
            for one in session.subscriptions:
                asked.append(asked_by(one))
                if len(asked) % REQUESTS_PER_STEP == 0:
                    yield
            is_new, replaced = session not in self._kept, self._replaced.get(session)
            client = SavedClient(key, process, asked, is_new, replaced)
            found.changed[session] = client
        return found

    def _update_kept(self, versions: "dict[GamSession, int]") -> list[ClientKey]:
        """Remember what will be saved; return the clients that were saved and are not
        to be kept."""
        present = set(self._clients())
        kept, self._kept = (
            self._kept,
            {
                session: version
                for session, version in versions.items()
                if session in present and not session.is_behind
            },
        )
        gone = [self._keys[session][0] for session in kept if session not in self._kept]
        self._keys = {s: k for s, k in self._keys.items() if s in present}
        self._replaced = {s: k for s, k in self._replaced.items() if s in present}
        return gone

    def start_anew(self) -> None:
        """What was noted is lost: the next save is of everything."""
        self._is_saved = self._is_written = False

    def _key_of(self, session: "GamSession") -> tuple[ClientKey, bytes]:
        found = self._keys.get(session)
        if found is None:
            key = ClientKey(*self._server, session.client)
            found = self._keys[session] = key, identity_of(session.peer_pid)
        return found

    def _start_writing(self, change: Change) -> bool:
        is_first, self._is_saved = not self._is_saved, False
        writer = threading.Thread(
            target=self._write, args=(change, is_first), name="save", daemon=True
        )
        try:
            writer.start()
        except RuntimeError as error:  # there is no thread
            self._complain(error)
            return False
        self._writer = writer
        return True

    def _write(self, change: Change, is_first: bool) -> None:
        """In the writer's thread, save at the end of the server."""
        self._is_written = False
        try:
            kept_days = self._service.state.kept_days
            self._is_written = self._store.save(change, is_first, is_running, kept_days)
        except Unusable as error:
            self._complain(error)

    # -- coming back

    def repetition(
        self, session: "GamSession", requests: Sequence[Monitor]
    ) -> Repetition | None:
        """What is known of a client whose first requests these are; None if it is not
        one that comes back."""
        _, process = self._key_of(session)
        if not process:
            return None
        try:
            found = self._past_clients.find(process, requests)
        except Unusable as error:
            self._complain(error)
            return None
        if found is not None:
            self._replaced[session] = found.client
        return found

    def _complain(self, error: Exception) -> None:
        """Log it, once as long as it is the same."""
        text = str(error)
        if text != self._complained:
            self._complained = text
            logger.warning("nothing is remembered: %s", printable(text))


def _is_gam(session: object) -> bool:
    return getattr(session, "language", "") == "gam"


def _names(node: Node) -> tuple[bytes, bytes]:
    """The entries of a directory as clients know them: files, and subdirectories."""
    if node.is_packed and not node.deferred:
        return node.packed, b""
    files: list[bytes] = []
    subdirectories: list[bytes] = []
    for name, known in node.published_entries().items():
        (files if known is FILE else subdirectories).append(name)
    return b"/".join(files), b"/".join(subdirectories)


def _result(steps: "Generator[None, None, Change | None]") -> "Change | None":
    """What it returns, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            change: Change | None = stop.value
            return change
