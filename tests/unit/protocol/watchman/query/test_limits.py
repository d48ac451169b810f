"""Each limit of a query can be set."""

import pytest

from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS
from gamin.protocol.watchman.query.query import parse_query

LARGE: dict[str, dict[str, object]] = {
    "terms": {"expression": ["anyof", "true", "true"]},
    "patterns": {"glob": ["a", "b", "c"]},
    "pattern_bytes": {"expression": ["match", "abc"]},
    "paths": {"path": ["a", "b", "c"]},
    "ignore_patterns": {"ignore": ["a", "b", "c"]},
    "ignore_bytes": {"ignore": ["abc"]},
    "ignore_wildcards": {"ignore": ["a*c"]},
}
"""Queries that have three of what the limit counts."""


@pytest.mark.parametrize("limit", DEFAULT_LIMITS._fields)
def test_every_limit_can_be_another_one(limit: str) -> None:
    parse_query(LARGE[limit], DEFAULT_LIMITS._replace(**{limit: 3}))
    with pytest.raises(BadQuery, match="more than 2 "):
        parse_query(LARGE[limit], DEFAULT_LIMITS._replace(**{limit: 2}))
