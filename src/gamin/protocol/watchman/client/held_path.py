"""Paths whose events wait until nothing happens to them any more; see `settling`."""

from heapq import heappop, heappush

from gamin.protocol.watchman.client.net_change import NetChange


class Held:
    """What became of a path, and since when its events wait."""

    __slots__ = (
        "asked",
        "change",
        "due",
        "first",
        "is_asked",
        "is_open",
        "path",
        "stamp",
        "touched",
    )

    def __init__(self, path: str, change: NetChange) -> None:
        self.path: str = path
        self.change: NetChange = change
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


class Schedule:
    """When to ask about each held path. One may be in it several times: when it comes
    out, its `due` says whether it is time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Held]] = []
        self._pushed = 0

    def push(self, held: Held) -> None:
        self._pushed += 1
        heappush(self._heap, (held.due, self._pushed, held))

    def deadline(self) -> float | None:
        """When the first one that is not released is due; None if there is none."""
        while self._heap and not self._heap[0][2].is_open:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Held:
        """Take out the first one, after `deadline` said that there is one."""
        return heappop(self._heap)[2]
