"""The errors that are part of a contract; everything else is a bug.

Each keeps its facts as attributes and says in its text what to do about it.
"""

import os


class GaminError(Exception):
    """The base of every error this package raises on purpose."""


class ServerError(GaminError):
    """No server can be reached or used.

    The base of every error that means so: a program that has another way to learn of
    changes catches this one and takes it.
    """


class RemoteProtocolError(GaminError):
    """The other side sent bytes that no correct peer sends; close the connection."""


class InvalidPath(GaminError):
    """A path that cannot be watched, whatever is on the disk."""

    def __init__(self, path: bytes, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot watch {os.fsdecode(self.path)!r}: {self.reason}"


class WatchLimitReached(GaminError):
    """The kernel refuses more watches; the daemon polls the path instead."""

    def __init__(self, path: bytes, limit: int) -> None:
        super().__init__(path, limit)
        self.path = path
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"cannot watch {os.fsdecode(self.path)!r}: all {self.limit} kernel watches "
            "of this user are taken (raise fs.inotify.max_user_watches or "
            "fs.fanotify.max_user_marks)"
        )
