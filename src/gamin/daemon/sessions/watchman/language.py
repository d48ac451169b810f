"""The modern side of the server: its roots, its commands, a face per connection.

Imported when the first client of that language comes, so that clients of the original
one need not wait for what they do not use (a fifth of the start).
"""

from gamin.daemon.io.connection import Connection
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.commands import Commands, Host
from gamin.daemon.sessions.watchman.roots import Roots
from gamin.daemon.sessions.watchman.session import WatchmanSession


class Modern:
    def __init__(self, service: Service, host: Host, start: int) -> None:
        """`start` is when the server started, in seconds since 1970."""
        self._service = service
        self.roots = Roots(service, start)
        self._commands = Commands(self.roots, host)
        service.faces[self.roots.client] = self.roots
        service.readers.append(self.roots)

    def face(self, client: int, connection: Connection) -> WatchmanSession:
        return WatchmanSession(client, connection, self._service, self._commands)
