"""What a peer is told when its request cannot be carried out.

None of these ends a connection; that is `gamin.errors.RemoteProtocolError`.
"""

from typing import ClassVar

from gamin.errors import GaminError


class BadRequest(GaminError):
    """A request that makes no sense; its text is the `error` of the reply."""

    # Newer Watchman servers begin the text with the class of the failure; clients
    # search for what follows it.
    prefix: ClassVar[str] = ""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.prefix + self.reason


class BadCommand(BadRequest):
    """An unknown command, or arguments it does not take."""

    prefix = "watchman::CommandValidationError: failed to validate command: "


class BadQuery(BadRequest):
    """An expression, a field or an option of a query that cannot be understood."""

    prefix = "watchman::QueryParseError: failed to parse query: "


class QueryFailed(BadRequest):
    """A sound query that could not be answered."""

    prefix = "watchman::QueryExecError: query failed: "


class UnresolvedRoot(BadRequest):
    """A root that is not watched, or cannot be."""

    prefix = "watchman::RootResolveError: failed to resolve root: "

    def __init__(self, root: str, why: str) -> None:
        super().__init__(f"unable to resolve root {root}: {why}")
        self.root = root


class NotWatched(UnresolvedRoot):
    """A root that nobody watches; git's hook knows this text and then watches it."""

    def __init__(self, root: str) -> None:
        super().__init__(
            root, f"failed to resolve root: directory {root} is not watched"
        )
