"""Regular expressions that take linear time, for patterns of peers.

The standard library's `re` backtracks: a pattern such as `*a*a*a*a*b` could stop the
server for everybody. This is the only module that knows the library RE2. It loads RE2
with the first expression, because that takes 9 ms and many servers need none.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gamin.errors import GaminError

if TYPE_CHECKING:
    import re2

Matcher = Callable[[bytes], bool]
"""Whether a text matches."""
MatchFrom = Callable[..., object]
"""Called with a text, and with the position where the match begins if it is not the
start: an object if the rest matches from end to end, else None."""

MAX_MEMORY = 1024 * 1024
"""Bytes of each compiled expression, for its program and its cache of states together.
With a full cache matching gets slower, never more than linear."""


class InvalidPattern(GaminError):
    """An expression that RE2 refuses; its text is the library's reason."""


def match_from(expression: bytes) -> MatchFrom:
    """Compile our own expression; each byte counts as one character."""
    import re2

    options = _options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    match: MatchFrom = re2.compile(expression, options).fullmatch
    return match


def matches_whole(expression: bytes) -> Matcher:
    """For expressions of ours, as `match_from`."""
    match = match_from(expression)
    return lambda text: match(text) is not None


def matches_somewhere(expression: bytes, *, fold: bool) -> Matcher:
    """Compile the expression of a peer. Raises InvalidPattern."""
    import re2

    options = _options()
    options.case_sensitive = not fold
    try:
        regex = re2.compile(expression, options)
    except re2.error as error:
        raise InvalidPattern(error.args[0].decode("utf-8", "replace")) from None
    return lambda text: regex.search(text) is not None


def _options() -> "re2.Options":
    import re2

    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    return options
