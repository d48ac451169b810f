"""Refuses to start a server of low priority, where the configuration wants that.

Watchman never starts one with a positive nice value unless its configuration allows it:
slow as it is then, it loses events, and crawls again and again. This server finds what
it lost as a difference, and takes the nice value 0 where it may. So it starts, unless
`min_acceptable_nice_value` is there and says less.
"""

import os
from collections.abc import Mapping

from gamin.cli.watchman_configuration import global_options
from gamin.cli.watchman_service import PriorityTooLow
from gamin.protocol.watchman.errors import BadRequest

KEY = "min_acceptable_nice_value"


def check_priority(environ: Mapping[str, str]) -> None:
    """Raises PriorityTooLow, and BadRequest for a configuration that makes no sense."""
    most = global_options(environ).get(KEY)
    if most is None:
        return
    if not isinstance(most, int) or isinstance(most, bool):
        raise BadRequest(f"Expected config value {KEY} to be an integer")
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    if nice > most:
        raise PriorityTooLow(nice, most)
