"""What the commands need of the server, and of the connection of a request."""

from collections.abc import Sequence
from typing import Protocol

from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman.client_subscription import Client
from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman import replies


class Host(Protocol):
    """What the commands need of the server itself."""

    @property
    def watchman_path(self) -> bytes: ...

    @property
    def watcher_name(self) -> str: ...

    def status(self) -> dict[str, object]: ...

    def dump(self) -> str: ...

    def stop(self) -> None: ...

    def set_log_level(self, level: int | None) -> None:
        """Write to the log what has this level or a higher one; None for nothing."""

    @property
    def log_path(self) -> str | None:
        """The file that the log is written to; None if it is none."""

    def check_idle(self) -> None:
        """It may be that nobody needs the server any more."""


class Asker(Client, Protocol):
    """The connection that a request came from."""

    subscriptions: dict[tuple[bytes, str], tuple[Root, Subscriber]]
    is_owner: bool
    """False once it gave up the privileges of the server's user."""

    def reply(self, reply: replies.Reply, rows: FileRows | None = None) -> None: ...

    def reply_around(
        self, reply: replies.Reply, member: str, pieces: Sequence[bytes]
    ) -> None:
        """A reply of which this member is encoded already."""

    @property
    def has_room(self) -> bool: ...

    def work(self, steps: Steps[None]) -> None:
        """Do this in slices, before the next request."""
