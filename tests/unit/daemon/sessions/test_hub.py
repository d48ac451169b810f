"""A round of the loop ends for every session, whatever one of them does."""

from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.hub import Service
from testkit.doubles.engine import plain_policy


class Flushed:
    """A session that counts how often it is flushed, and fails if it `is_broken`."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.is_broken = is_broken
        self.flushes = 0

    def deliver(self, subscription: Subscription, reported: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

    def flush(self) -> None:
        self.flushes += 1
        if self.is_broken:
            raise MemoryError


def test_a_session_that_fails_keeps_no_other_one_from_sending() -> None:
    policy: Policy = plain_policy()
    loop = Loop()
    service = Service(Monitor(policy), loop, lambda connection: None, b"/")
    broken, other = Flushed(is_broken=True), Flushed()
    for session in (broken, other):
        service.join(session)
        service.flush_later(session)
    service.flush()
    loop.close()
    assert (broken.flushes, other.flushes) == (1, 1)
