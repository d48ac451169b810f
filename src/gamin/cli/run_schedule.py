"""When `gamin run` starts and stops its command. Pure: times come in as arguments."""

from collections.abc import Iterable
from enum import Enum

MAX_SPANS = 20
"""Changes that never pause delay a run by at most this many debounce spans."""


class WhenBusy(Enum):
    """What a change means while the command runs."""

    QUEUE = "queue"
    """Run once more after the command has ended."""
    DROP = "drop"
    """Do nothing."""
    RESTART = "restart"
    """Stop the command and start it again."""


class Action(Enum):
    WAIT = "wait"
    START = "start"
    STOP = "stop"


class RunSchedule:
    """Collects changed paths and decides when they cause a run."""

    def __init__(self, when_busy: WhenBusy, debounce: float) -> None:
        self._when_busy = when_busy
        self._debounce = debounce
        self._pending: dict[str, None] = {}
        self._due = 0.0
        self._latest_due = 0.0
        self._is_running = False
        self._is_stopping = False

    def request(self, paths: Iterable[str], now: float) -> None:
        """Ask for a run with these paths, without debounce."""
        self._pending.update(dict.fromkeys(paths))
        self._due = self._latest_due = now

    def changed(self, paths: Iterable[str], now: float) -> None:
        if self._is_running and self._when_busy is WhenBusy.DROP:
            return
        changed = dict.fromkeys(paths)
        if not changed:
            return
        if not self._pending:
            self._latest_due = now + MAX_SPANS * self._debounce
        self._due = min(now + self._debounce, self._latest_due)
        self._pending.update(changed)

    def decide(self, now: float) -> Action:
        if not self._may_act() or now < self._due:
            return Action.WAIT
        return Action.STOP if self._is_running else Action.START

    def deadline(self) -> float | None:
        """When `decide` can first return another action than WAIT; None for never."""
        return self._due if self._may_act() else None

    @property
    def pending(self) -> list[str]:
        """The paths that changed since the last run started, each once, in order."""
        return list(self._pending)

    def forget(self) -> None:
        """Drop the pending paths."""
        self._pending.clear()

    def started(self) -> None:
        self._pending.clear()
        self._is_running = True

    def stopping(self) -> None:
        self._is_stopping = True

    def ended(self) -> None:
        self._is_running = self._is_stopping = False

    def _may_act(self) -> bool:
        if not self._pending or self._is_stopping:
            return False
        return not self._is_running or self._when_busy is WhenBusy.RESTART
