"""How much is remembered across restarts, for how long, and when it is saved.

`daemon.sessions` and `state` apply these settings; `gaminrc` defines how a file spells
them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gamin.config.flow_settings import Limits


class StateSettings(NamedTuple):
    save_interval: float = 30.0
    """Seconds between two saves at least, while the server runs. After a kill, what was
    reported since the last one is reported again."""

    kept_days: int = 30
    """Days for which a tree and a cursor are kept that nobody asks for."""

    servers: int = 8
    """Servers of which a tree is kept: their clocks can be answered."""

    megabytes: int = 1_000
    """MB of trees that are kept; the ones that were saved longest ago go first."""

    def replaced(self, values: Mapping[str, float]) -> "StateSettings":
        """A copy with some fields set. `values` must be within `STATE_RANGES`."""
        changes: dict[str, Any] = {
            name: int(value) if STATE_RANGES[name].whole else value
            for name, value in values.items()
        }
        return self._replace(**changes)


STATE_RANGES: Mapping[str, Limits] = {
    "save_interval": Limits(1, 86_400, whole=False),
    "kept_days": Limits(1, 36_500, whole=True),
    "servers": Limits(1, 1_000, whole=True),
    "megabytes": Limits(1, 1_000_000, whole=True),
}
"""What a file may set."""
