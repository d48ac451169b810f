"""What `gamin top` shows: figures over time, clients sorted and filtered. Pure."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gamin.cli.status import Client, Report

HISTORY = 60
"""Samples that a sparkline covers at most."""

SORTINGS = ("backlog", "subscriptions", "pid", "program")

_BARS = "▁▂▃▄▅▆▇█"


class Sample(NamedTuple):
    """The state of the server at one moment."""

    time: float
    """Seconds of a clock that is never set."""
    report: Report
    cpu_seconds: float
    """Processor time of the server since its start."""
    memory: int
    """Bytes of memory that the server occupies."""


class Figures:
    """Rates between samples, and the busiest paths."""

    def __init__(self) -> None:
        self.sample: Sample | None = None
        self.cpu_percent: float = 0.0
        self.activity: deque[float] = deque(maxlen=HISTORY)
        """Ticks of the server's clock per second; it moves with detected changes."""
        self.events: deque[float] = deque(maxlen=HISTORY)
        """Changes per second at the watched paths."""
        self._recent: deque[Counter[str]] = deque(maxlen=HISTORY)
        self._counted: Counter[str] = Counter()

    def add(self, sample: Sample) -> None:
        """Add the next sample; a sample of another server starts a new series."""
        before = self.sample
        self.sample = sample
        seconds = 0.0 if before is None else sample.time - before.time
        if before is None or before.report.pid != sample.report.pid or seconds <= 0:
            return
        used = sample.cpu_seconds - before.cpu_seconds
        self.cpu_percent = 100 * max(0.0, used) / seconds
        ticks = _tick(sample.report) - _tick(before.report)
        self.activity.append(max(0, ticks) / seconds)
        self.events.append(self._counted.total() / seconds)
        self._recent.append(self._counted)
        self._counted = Counter()

    def count(self, paths: Iterable[str]) -> None:
        """Count changes that were reported since the last sample."""
        self._counted.update(paths)

    def busiest(self, number: int) -> list[tuple[str, int]]:
        """The paths that changed most within the last samples."""
        total: Counter[str] = Counter()
        for counted in self._recent:
            total.update(counted)
        return sorted(total.items(), key=lambda item: (-item[1], item[0]))[:number]


def _tick(report: Report) -> int:
    return report.clock if isinstance(report.clock, int) else 0


def shown_clients(
    clients: Sequence[Client], sorting: str, pattern: str = ""
) -> list[Client]:
    """The clients whose program contains `pattern`, largest figures first."""
    wanted = pattern.casefold()
    found = [c for c in clients if wanted in c.program.casefold()]
    if sorting in ("backlog", "subscriptions"):
        return sorted(found, key=lambda c: (-getattr(c, sorting), c.pid))
    return sorted(found, key=lambda c: (getattr(c, sorting), c.pid))


def sparkline(values: Sequence[float], width: int) -> str:
    """The last values as bars; the highest one fills its line."""
    last = list(values)[-width:]
    most = max(last, default=0.0)
    if most <= 0:
        return _BARS[0] * len(last)
    return "".join(_BARS[round(v / most * (len(_BARS) - 1))] for v in last)


def gauge(used: int, most: int, width: int) -> str:
    """A bar that is filled as far as `used` fills `most`."""
    share = min(1.0, used / most) if most > 0 else 0.0
    filled = round(share * width)
    return "█" * filled + "░" * (width - filled)


class Keys(NamedTuple):
    """What the user has chosen, and the reaction to a key."""

    sorting: str = SORTINGS[0]
    pattern: str = ""
    is_typing: bool = False
    """Whether keys are part of the filter."""
    is_paused: bool = False
    is_over: bool = False

    def press(self, key: str) -> "Keys":
        if self.is_typing:
            return self._type(key)
        match key:
            case "q" | "Q" | "\x1b":
                return self._replace(is_over=True)
            case "p" | " ":
                return self._replace(is_paused=not self.is_paused)
            case "s":
                place = SORTINGS.index(self.sorting) + 1
                return self._replace(sorting=SORTINGS[place % len(SORTINGS)])
            case "/" | "f":
                return self._replace(is_typing=True, pattern="")
            case _:
                return self

    def _type(self, key: str) -> "Keys":
        match key:
            case "\r" | "\n":
                return self._replace(is_typing=False)
            case "\x1b":
                return self._replace(is_typing=False, pattern="")
            case "\x7f" | "\b":
                return self._replace(pattern=self.pattern[:-1])
            case _ if key.isprintable():
                return self._replace(pattern=self.pattern + key)
            case _:
                return self
