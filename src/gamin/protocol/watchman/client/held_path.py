"""A path whose events wait until nothing happens to it any more; see `settling`."""

from gamin.protocol.watchman.client.net_change import NetChange


class Held:
    """What became of a path, and since when its events wait."""

    __slots__ = (
        "asked",
        "change",
        "clock",
        "due",
        "first",
        "is_asked",
        "is_open",
        "path",
        "stamp",
        "touched",
    )

    def __init__(self, path: str, change: NetChange, clock: str | None) -> None:
        self.path: str = path
        self.change: NetChange = change
        self.clock: str | None = clock
        """The client's clock from before the first of its events."""
        self.first: float = 0.0
        self.touched: float = 0.0
        self.due: float = 0.0
        self.asked: float = 0.0
        """When the first and the last of its events came, when to ask about it, and
        when that was done."""
        self.stamp: float | None = None
        """The activity that was reported before. If the server has seen none since, the
        event is the late report of what the client knows."""
        self.is_asked: bool = False
        """An answer about it is to come."""
        self.is_open: bool = True
        """It is not released yet."""
