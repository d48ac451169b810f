"""What the parts of the core share: the state, and the moment at hand.

Each part decides about one thing; `monitor` says in which order they act. A part that
wants something done appends an effect.
"""

from collections import deque

from gamin.config.flow_settings import FlowSettings
from gamin.config.policy import Policy
from gamin.core.coverage.need import Coverage
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Effect
from gamin.core.model.subscription import Audiences
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl

RECENT_SECONDS = 2
"""What happened at most so many seconds ago is recent."""


class Scene:
    def __init__(self, policy: Policy, settings: FlowSettings) -> None:
        self.effects: list[Effect] = []
        self.tree = Tree()
        self.audiences = Audiences()
        self.coverage = Coverage(self.tree, self.audiences, policy, self.effects)
        self.resolver = PathResolver(self.tree, self.coverage, self.effects)
        self.reporter = Reporter(self.effects)
        self.flow = FlowControl(settings)
        self.deferred = Deferred(self.tree, self.audiences, self.flow, self.reporter)
        self.debouncer = WriteDebouncer()
        self.now = 0.0
        """Seconds of a monotonic clock, at the last happening."""
        self.recent_tick = 0
        """Ticks above this are recent."""
        self._seconds: deque[tuple[int, int]] = deque()
        """(second, its first tick), for the last few seconds that had any."""

    def advance(self, now: float) -> None:
        """A batch begins: a new tick."""
        self.tree.tick += 1
        self.now = now
        second = int(now)
        seconds = self._seconds
        if not seconds or seconds[-1][0] != second:
            seconds.append((second, self.tree.tick))
            while seconds[0][0] < second - RECENT_SECONDS:
                seconds.popleft()
            self.recent_tick = seconds[0][1] - 1
