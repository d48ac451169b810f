"""What clients may take of the server, and the range in which a file may set that.

`daemon.sessions` applies these limits; `gaminrc` defines how a file spells them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gamin.config.flow_settings import Limits


class ClientLimits(NamedTuple):
    """Limits for the server as a whole, for a connection, and for a query. No honest
    client that we know comes near the defaults."""

    connections: int = 1024
    """Connections of the server."""

    held_bytes: int = 256 << 20
    """Bytes of requests and answers that wait, over all connections."""

    triggers: int = 256
    """Triggers of the server: each may run a process."""

    subscriptions: int = 4_096
    """Subscriptions of one connection in Watchman's language. A connection in gamin's
    language has 65,535 numbers for its requests."""

    rule_lists: int = 64
    """Different `ignore` lists, and other options that make a root, of one connection
    on one path: each is a tree of its own."""

    request_bytes: int = 16 << 20
    """Bytes of one request in Watchman's language."""

    waiting_requests: int = 1_000
    """Requests of one connection that may wait before it is not read any more."""

    waiting_bytes: int = 1 << 20
    """Bytes of such requests."""

    unread_bytes: int = 1 << 20
    """Bytes of answers that may wait for one client before its requests do."""

    query_price: int = 500_000_000
    """Terms and patterns of a query times the files that they are asked of: minutes of
    work."""

    query_terms: int = 1_000
    """Terms in the expression of one query."""

    query_patterns: int = 256
    """Terms with a pattern in one expression, and globs in one query."""

    pattern_bytes: int = 1 << 16
    """Characters of the patterns of one expression together, and of its globs."""

    query_paths: int = 1_000
    """Items of `path`, and of `suffix`, in one query."""

    ignore_patterns: int = 10_000
    """Patterns in one list of `ignore`."""

    ignore_bytes: int = 1 << 16
    """Characters of these together."""

    ignore_wildcards: int = 1 << 14
    """Characters of those that have wildcards."""

    def replaced(self, values: Mapping[str, int]) -> "ClientLimits":
        """A copy with some fields set. `values` must be within `RANGES`."""
        return self._replace(**values)


RANGES: Mapping[str, Limits] = {
    "connections": Limits(16, 65_536, whole=True),
    "held_bytes": Limits(4 << 20, 999_999_999, whole=True),
    "triggers": Limits(0, 65_536, whole=True),
    "subscriptions": Limits(1, 65_536, whole=True),
    "rule_lists": Limits(1, 65_536, whole=True),
    "request_bytes": Limits(4_096, 999_999_999, whole=True),
    "waiting_requests": Limits(1, 1_000_000, whole=True),
    "waiting_bytes": Limits(4_096, 999_999_999, whole=True),
    "unread_bytes": Limits(4_096, 999_999_999, whole=True),
    "query_price": Limits(1_000, 999_999_999, whole=True),
    "query_terms": Limits(1, 1_000_000, whole=True),
    "query_patterns": Limits(1, 65_536, whole=True),
    "pattern_bytes": Limits(1, 16 << 20, whole=True),
    "query_paths": Limits(1, 1_000_000, whole=True),
    "ignore_patterns": Limits(1, 1_000_000, whole=True),
    "ignore_bytes": Limits(1, 16 << 20, whole=True),
    "ignore_wildcards": Limits(1, 1 << 20, whole=True),
}
"""What a file may set. Below the least values `gamin status` and `gamin stop` would not
be served either."""
