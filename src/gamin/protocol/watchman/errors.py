"""Errors for requests that cannot be carried out; the text is the reply's `error`.

None of these ends a connection; that is `gamin.errors.RemoteProtocolError`. The texts
are those of Watchman, which clients match on.
"""

from typing import ClassVar

from gamin.errors import GaminError


class BadRequest(GaminError):
    """A request that makes no sense."""

    prefix: ClassVar[str] = ""
    """The class of the failure, with which newer Watchman servers begin some texts;
    clients search for what follows it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.prefix + self.reason


class BadCommand(BadRequest):
    """Arguments that a command does not take."""


class UnknownCommand(BadRequest):
    """A command that there is not."""

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

    def __init__(self, root: str, hint: str = "") -> None:
        super().__init__(
            root, f"failed to resolve root: directory {root} is not watched{hint}"
        )
