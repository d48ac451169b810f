"""Accepts clients, says who may stay, and ends when nobody needs it any more."""

import itertools
import logging
import os
import socket
import time
from functools import partial
from typing import TYPE_CHECKING

from gamin import __version__
from gamin.backends.base import KernelBackend
from gamin.backends.polling import PollingBackend
from gamin.config import loader
from gamin.core.monitor import Monitor
from gamin.daemon.io.addresses import Language, Listener, Listening
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.error_log import log_exception
from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.process import server_log, status
from gamin.daemon.process.config_watch import (
    Settings,
    know_distant,
    limit,
    make_policy,
)
from gamin.daemon.process.lean_import import lean_import
from gamin.daemon.process.memory import Memory
from gamin.daemon.process.mount_threads import MountThreads
from gamin.daemon.process.preload import Preload
from gamin.daemon.sessions.hub import Service
from gamin.system.namespace import sees_other_files
from gamin.system.peercred import PeerRefused, check_peer
from gamin.system.proc import program_of
from gamin.system.spare_descriptor import SPARE

if TYPE_CHECKING:
    from gamin.daemon.sessions.gam import GamSession
    from gamin.daemon.sessions.watchman.language import Watchman
    from gamin.daemon.sessions.watchman.session import WatchmanSession

logger: logging.Logger = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""How long a server without clients stays, as in the original."""
GREETING_SECONDS = 2.0
"""Seconds within which a client must say hello."""
MAX_UNGREETED = 16
"""Clients of gamin's language that may have said nothing yet."""
MAX_SILENT = 64
"""Clients of the Watchman language that may have said nothing yet. They may take their
time, as long as others do not need the place."""
STARTING_SECONDS = 1.0
"""Seconds that the start waits for a home directory whose mount does not answer."""
PAUSE_SECONDS = 0.5
"""How long callers wait when there is no descriptor for them. The socket stays readable
meanwhile, so without a pause we would turn in circles."""


class Server:
    def __init__(
        self,
        listening: Listening,
        loop: Loop,
        kernel: KernelBackend | None,
        *,
        cwd: bytes,
        has_timeout: bool = True,
        is_poll_only: bool = False,
        idle_seconds: float = IDLE_SECONDS,
        greeting_seconds: float = GREETING_SECONDS,
    ) -> None:
        """Raises OSError where the configuration cannot be read for want of room."""
        mounts = loader.read_mounts()
        know_distant(mounts)
        configured = loader.read_in_time(STARTING_SECONDS)
        policy = make_policy(configured, mounts, is_poll_only)
        self.listening = listening
        self._loop = loop
        self.kernel = kernel
        self.polling: PollingBackend = PollingBackend()
        self.mount_threads: MountThreads = MountThreads(
            loop.call_later, has_kernel=kernel is not None
        )
        self.monitor: Monitor = Monitor(policy, configured.flow)
        self.service: Service = Service(self.monitor, loop, self._greeted, cwd)
        limit(self.service, configured)
        self.started: float = time.time()
        self._limits = status.Limits()
        self._watchman: Watchman | None = None
        self.settings: Settings = Settings(
            self.service, configured, mounts, is_poll_only=is_poll_only
        )
        self.connections: dict[Connection, GamSession | WatchmanSession] = {}
        self._has_timeout = has_timeout
        self._idle_seconds = idle_seconds
        self._greeting_seconds = greeting_seconds
        self._numbers = itertools.count(1)
        self._ungreeted: dict[Connection, Timer] = {}
        self._silent: dict[Connection, None] = {}
        """Clients of the Watchman language without a request so far, oldest first."""
        self._memory = Memory(
            loop, lambda: bool(self.connections), lambda: self.service.is_letting_go
        )
        self._idle: Timer | None = None

    def run(self) -> None:
        """Serve until the loop is ended, or nobody has been there for a while."""
        drive = Drive(
            self.monitor,
            self.kernel,
            self.polling,
            self.service,
            self._loop,
            self.mount_threads,
        )
        self.service.drive = drive
        self.settings.start(self._loop)
        for listener in self.listening.listeners:
            self._listen(listener)
        self.check_idle()
        preload = Preload(
            self._loop,
            self._cannot_serve,
            last_activity=lambda: drive.executor.last_drain,
        )
        try:
            self._loop.run()
        finally:
            preload.stop()
            for listener in self.listening.listeners:
                self._loop.remove_reader(listener.socket.fileno())
            self.listening.close()
            self._save()
            for connection in list(self.connections):
                connection.close()
            self.service.end()
            self.settings.stop(self._loop)
            drive.close()
            self.service.errands.close()
            if self._idle is not None:
                self._idle.cancel()

    def _save(self) -> None:
        """Remember what is known, for clients that come back to the next server."""
        for memory in (self._watchman, self.service.gam_memory):
            if memory is not None:
                try:
                    memory.save()
                except Exception:
                    log_exception(logger, "a bug; what is known was not saved")

    # -- coming

    def _listen(self, listener: Listener) -> None:
        self._loop.add_reader(listener.socket.fileno(), partial(self._accept, listener))

    def _resume_listening(self, listener: Listener) -> None:
        SPARE.hold_again()  # before a caller takes what is free now
        if listener in self.listening.listeners:
            self._listen(listener)

    def _accept(self, listener: Listener) -> None:
        try:
            sock, _ = listener.socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptors left: callers wait in the queue
            logger.warning("cannot accept a client: %s", error.strerror)
            self._loop.remove_reader(listener.socket.fileno())
            again = partial(self._resume_listening, listener)
            self._loop.call_later(PAUSE_SECONDS, again)
            return
        try:
            peer = check_peer(sock)
        except (PeerRefused, OSError) as error:
            logger.warning("client refused: %s", error)
            sock.close()
            return
        if self._sees_other_files(peer.pid):
            sock.close()
            return
        if len(self._ungreeted) >= MAX_UNGREETED:
            # The oldest and not the newest: whoever means it has said hello by now.
            self._dismiss(next(iter(self._ungreeted)))
        most = self.service.limits.connections
        if len(self._silent) >= MAX_SILENT or (
            self._silent and len(self.connections) >= most
        ):
            self._dismiss(next(iter(self._silent)))
        if len(self.connections) >= most:
            logger.warning("pid %d refused: too many connections", peer.pid)
            sock.close()
            return
        self._welcome(sock, Connection(sock, peer, self._loop, self._lost), listener)

    def _sees_other_files(self, pid: int) -> bool:
        """Whether a client must be refused, because its paths mean other files."""
        if self.listening.address.any_mounts or not sees_other_files(pid):
            return False
        logger.warning(
            "pid %d refused: it is in another mount namespace; see GAMIN_MOUNTS and "
            "GAM_CLIENT_ID",
            pid,
        )
        return True

    def _welcome(
        self, sock: socket.socket, connection: Connection, listener: Listener
    ) -> None:
        client = next(self._numbers)
        is_watchman = listener.language is Language.WATCHMAN
        session: GamSession | WatchmanSession
        try:
            if is_watchman:
                session = self._watchman_side().session(client, connection)
            else:
                session = self._gam_session(client, connection)
        except (ImportError, OSError) as error:  # the first one imports modules
            logger.warning("pid %d refused: %s", connection.peer.pid, error)
            sock.close()
            if isinstance(error, ImportError):
                self._cannot_serve(error)
            return
        if is_watchman:
            self._silent[connection] = None
        else:
            self._ungreeted[connection] = self._loop.call_later(
                self._greeting_seconds, partial(self._dismiss, connection)
            )
        self.connections[connection] = session
        self.service.join(session)
        self.check_idle()
        connection.read(True)

    def _gam_session(self, client: int, connection: Connection) -> "GamSession":
        from gamin.daemon.sessions.gam import GamSession

        if self.service.gam_memory is None:
            from gamin.daemon.sessions.gam_memory import GamMemory

            session, start = self.listening.address.session, int(self.started)
            memory = GamMemory(self.service, loader.state_home(), session, start)
            self.service.gam_memory = memory
        return GamSession(client, connection, self.service)

    def _watchman_side(self) -> "Watchman":
        if self._watchman is None:
            with lean_import():
                from gamin.daemon.sessions.watchman.language import Watchman

            session = self.listening.address.session
            self._watchman = Watchman(self.service, self, int(self.started), session)
        return self._watchman

    def _cannot_serve(self, error: ImportError) -> None:
        """The package is gone, or is another one: make room for a server of that one.
        Clients find it as after any end of a server."""
        logger.error("the server ends, for its package has changed: %s", error)
        self._loop.stop()

    def _greeted(self, connection: Connection) -> None:
        self._silent.pop(connection, None)
        timer = self._ungreeted.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def _dismiss(self, connection: Connection) -> None:
        """Close a connection whose time to say hello is over.

        Where an iteration of the loop takes longer than that, the hello is already in
        the socket, and only the server is late.
        """
        connection.read_now()
        if connection not in self._ungreeted and connection not in self._silent:
            return  # it has said something, or is gone
        logger.warning("pid %d dropped: it did not say hello", connection.peer.pid)
        connection.close()

    # -- going

    def _lost(self, connection: Connection) -> None:
        self._greeted(connection)
        session = self.connections.pop(connection)
        SPARE.hold_again()  # its descriptor is free now
        self.service.part(session)
        if not session.is_greeted:
            self.restore_sockets()
        self.service.flush()
        self._memory.client_left(is_heavy=session.is_heavy)
        self.check_idle()

    def restore_sockets(self) -> None:
        """A caller left without a word, or a socket file was removed: look for ours."""
        lost, new = self.listening.restore()
        for listener in lost:
            self._loop.remove_reader(listener.socket.fileno())
        for listener in new:
            self._listen(listener)
        self.listening.notify_removals()
        if self.listening.is_cut_off:
            self._loop.stop()
        superseded_by = self.listening.superseded_by
        if superseded_by is not None and lost:
            # New clients would be with that server, and those of ours with us. They
            # find it when we have ended.
            logger.warning("%s; this server ends", superseded_by)
            self._loop.stop()

    def check_idle(self) -> None:
        """The end comes a while after nobody needs the server; no timer before."""
        if self._is_needed():
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
        elif self._idle is None and self._has_timeout:
            self._idle = self._loop.call_later(self._idle_seconds, self._loop.stop)

    def _is_needed(self) -> bool:
        """A client is there, or asked for a root to be watched for good: one that comes
        for a moment each time (git, hg) names a clock of ours when it comes again."""
        watchman = self._watchman
        return bool(
            self.connections or (watchman is not None and watchman.roots.watched())
        )

    # -- asked by the commands

    @property
    def watchman_path(self) -> bytes:
        listeners = self.listening.of(Language.WATCHMAN)
        file = listeners[0].file if listeners else None
        return b"" if file is None else file.path

    @property
    def watcher_name(self) -> str:
        return status.watcher_name([] if self.kernel is None else self.kernel.usage)

    def stop(self) -> None:
        """End when the answer to who asked for it is sent."""
        self._loop.stop()

    def set_log_level(self, level: int | None) -> None:
        server_log.set_level(logging.getLogger("gamin"), level)

    @property
    def log_path(self) -> str | None:
        return server_log.path()

    def _clients(self) -> set[object]:
        """What subscriptions of clients belong to."""
        roots = () if self._watchman is None else (self._watchman.roots,)
        return {*self.connections.values(), *roots}

    def status(self) -> dict[str, object]:
        kernel = self.kernel
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime": round(time.time() - self.started, 3),
            "session": os.fsdecode(self.listening.address.session),
            "addresses": [each.where for each in self.listening.listeners],
            "clock": self.monitor.tree.tick,
            "clients": [
                {
                    "pid": connection.peer.pid,
                    "program": program_of(connection.peer.pid),
                    "language": session.language,
                    "subscriptions": session.subscription_count,
                    "backlog": session.backlog,
                    **session.usage._asdict(),
                }
                for connection, session in self.connections.items()
            ],
            "roots": 0 if self._watchman is None else len(self._watchman.roots.all),
            "state_bytes": 0
            if self._watchman is None
            else self._watchman.memory.size(),
            "watches": status.watches(self.monitor, self._clients()),
            "polled_for": status.polled_for(self.monitor),
            "busy_paths": status.busy_paths(self.monitor),
            "limits": self._limits.read(),
            "facilities": {
                facility: {"used_by_us": used, "most_used_by_us": most}
                for facility, used, most in (() if kernel is None else kernel.usage)
            },
            "held_bytes": self.service.accounts.held_bytes,
            "recoveries": status.recoveries(self.monitor),
            "stalled": status.stalled(self.monitor, self.mount_threads.stalled()),
        }

    def dump(self) -> str:
        clients = [
            f"{session.client}: pid {connection.peer.pid} "
            f"{program_of(connection.peer.pid)}, {session.language}, "
            f"{session.subscription_count} subscriptions, backlog {session.backlog}"
            for connection, session in self.connections.items()
        ]
        return status.dump(self.monitor, clients)
