"""How many examples a property test has: few in every run, many in a search."""

import os

IS_RANDOM = bool(os.environ.get("GAMIN_RANDOM"))
"""Whether this run looks for other examples than every run has (`make search`)."""

_SEARCH = 10
"""How many times as many examples a search has."""


def examples(usual: int) -> int:
    """`usual`, in a run whose examples are the same each time; more in a search.

    The same examples again find nothing new, and cost time in each run.
    """
    return usual * _SEARCH if IS_RANDOM else usual
