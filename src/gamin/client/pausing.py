"""Waits without `time.sleep`.

Tests of programs replace that function, and gamin is often imported as late as the
first watch begins: by then a name imported from `time` would be the replacement for
good, and one looked up would end or fail at once.
"""

import select


def pause(seconds: float) -> None:
    """Wait for so many seconds. Libraries of green threads make this one of theirs."""
    select.select((), (), (), seconds)
