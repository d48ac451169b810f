"""The server side of the Watchman language: roots, commands, a session per client.

Imported when the first client of that language comes: clients of the original one do
not wait for what they do not use (a fifth of the start).
"""

import os

from gamin.config.loader import (
    config_home,
    home_directory,
    state_home,
    watchman_files,
    watchman_state_file,
)
from gamin.daemon.io.connection import Connection
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.asker import Host
from gamin.daemon.sessions.watchman.commands import Commands
from gamin.daemon.sessions.watchman.git_rules import Home
from gamin.daemon.sessions.watchman.lazy_memory import LazyMemory
from gamin.daemon.sessions.watchman.roots import Roots
from gamin.daemon.sessions.watchman.rule_files import RuleFiles
from gamin.daemon.sessions.watchman.save_schedule import SaveSchedule
from gamin.daemon.sessions.watchman.session import WatchmanSession
from gamin.daemon.sessions.watchman.watches import Place
from gamin.state.watch_file import WatchFile

SAVING_SECONDS = 0.5
"""Seconds that the end waits for a state directory whose mount does not answer."""


class Watchman:
    def __init__(
        self, service: Service, host: Host, start: int, session: bytes = b""
    ) -> None:
        """`start` is when the server started, in seconds since 1970; `session` is the
        one whose state it keeps."""
        self._service = service
        rules = RuleFiles(service, Home(os.fsencode(home_directory()), config_home()))
        self.roots: Roots = Roots(service, rules, start)
        self.memory: LazyMemory = LazyMemory(service, state_home(), session)
        state = watchman_state_file(session)
        place = Place(watchman_files(), state and WatchFile(*state))
        self._commands = Commands(self.roots, host, self.memory, place)
        self._saves = SaveSchedule(
            service.loop,
            self.memory,
            self.roots,
            self._commands,
            lambda: service.state.save_interval,
        )
        self.roots.on_changed = self._saves.changed
        self.roots.on_closing = self._saves.save_before_closing
        self.roots.on_cancel = host.check_idle
        service.join(self.roots)
        service.join(rules)
        service.scan_observers.append(rules)
        self._commands.watches.restore()

    def save(self) -> None:
        """Remember what is known now, because the server ends."""
        self._saves.cancel()
        self._commands.watches.save(SAVING_SECONDS)
        self.memory.save(self.roots.by_key(), self._commands.cursors())
        self.memory.wait(SAVING_SECONDS)

    def session(self, client: int, connection: Connection) -> WatchmanSession:
        return WatchmanSession(client, connection, self._service, self._commands)
