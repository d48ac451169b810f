"""What the limits of clients mean for the reader of queries."""

from gamin.config.client_limits import ClientLimits
from gamin.protocol.watchman.query.limits import QueryLimits


def query_limits(limits: ClientLimits) -> QueryLimits:
    return QueryLimits(
        terms=limits.query_terms,
        patterns=limits.query_patterns,
        pattern_bytes=limits.pattern_bytes,
        paths=limits.query_paths,
        ignore_patterns=limits.ignore_patterns,
        ignore_bytes=limits.ignore_bytes,
        ignore_wildcards=limits.ignore_wildcards,
    )
