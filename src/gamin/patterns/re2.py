"""Regular expressions that take linear time, whatever a peer makes of them.

The standard library's `re` backtracks: a pattern such as `*a*a*a*a*b` could stop the
server for everybody. What the expressions mean is left to `wildmatch` and `name_terms`.
"""

from collections.abc import Callable

import re2

from gamin.errors import GaminError

Matcher = Callable[[bytes], bool]

# Of each compiled expression, for its program and its cache of states together. With a
# full cache matching gets slower, never more than linear.
MAX_MEMORY = 1024 * 1024


class InvalidPattern(GaminError):
    """An expression that RE2 refuses; its text is the library's reason."""


def matches_whole(expression: bytes) -> Matcher:
    """For expressions of ours; each byte counts as one character."""
    options = _options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    regex = re2.compile(expression, options)
    return lambda text: regex.fullmatch(text) is not None


def matches_somewhere(expression: bytes, *, fold: bool) -> Matcher:
    """For expressions of a peer. Raises InvalidPattern."""
    options = _options()
    options.case_sensitive = not fold
    try:
        regex = re2.compile(expression, options)
    except re2.error as error:
        raise InvalidPattern(error.args[0].decode("utf-8", "replace")) from None
    return lambda text: regex.search(text) is not None


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    return options
