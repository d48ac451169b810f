"""How much one query may ask: each term and pattern may be asked of every file."""

from typing import NamedTuple


class QueryLimits(NamedTuple):
    """The most of each kind; no program that we know comes near. The daemon takes them
    from its configuration."""

    terms: int = 1_000
    """Terms in one expression."""
    patterns: int = 256
    """Terms with a pattern in one expression, and globs in one query: each takes up to
    1 MiB when it is used."""
    pattern_bytes: int = 1 << 16
    """Characters of the patterns of an expression together, and of the globs."""
    paths: int = 1_000
    """Items of `path`, and of `suffix`."""
    ignore_patterns: int = 10_000
    """Patterns in one list of `ignore`."""
    ignore_bytes: int = 1 << 16
    """Characters of these together."""
    ignore_wildcards: int = 1 << 14
    """Characters of those with wildcards, which cost most: this many take 30 ms to
    load."""


DEFAULT_LIMITS = QueryLimits()
