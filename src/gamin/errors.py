"""The errors that several parts share.

Each error keeps its facts as attributes, and its text says what to do about it.
"""

import os


class GaminError(Exception):
    """The base of every error that this package raises on purpose."""


class ServerError(GaminError):
    """No server can be reached or used.

    The base of every error that means so: a program that has another way to learn of
    changes catches this one and takes it.
    """


class RemoteProtocolError(GaminError):
    """The peer sent bytes that no correct peer sends; the connection must be closed."""


class InvalidPath(GaminError):
    """A path that cannot be watched, whatever is on the disk.

    `path` is the path as bytes, `reason` a text.
    """

    def __init__(self, path: bytes, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot watch {os.fsdecode(self.path)!r}: {self.reason}"


class WatchLimitReached(GaminError):
    """The kernel refuses more watches; the server polls the path instead.

    Raised inside the server only. `limit` is the number of watches allowed.
    """

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
