"""A round of the loop ends for every session, whatever one of them does."""

from pathlib import Path

import pytest

from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions import hub as module
from gamin.daemon.sessions.hub import Service
from testkit.doubles.engine import plain_policy
from testkit.sessions import home


class Flushed:
    """A session that counts how often it is flushed, and then raises `error`."""

    def __init__(self, error: type[Exception] | None = None) -> None:
        self.error = error
        self.flushes = 0

    def deliver(self, subscription: Subscription, reported: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

    def flush(self) -> None:
        self.flushes += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [KeyError, MemoryError])
def test_a_session_that_fails_keeps_no_other_one_from_sending(
    error: type[Exception],
) -> None:
    policy: Policy = plain_policy()
    failures: list[str] = []
    loop = Loop()
    service = Service(Monitor(policy), loop, lambda connection: None, b"/")
    service.on_no_memory = lambda: failures.append("no memory")
    broken, other = Flushed(error), Flushed()
    for session in (broken, other):
        service.join(session)
        service.flush_later(session)
    service.flush()
    loop.close()
    assert (broken.flushes, other.flushes) == (1, 1)
    assert failures == ["no memory"] * (error is MemoryError)


def test_the_loop_goes_on_between_two_cancels_of_what_a_client_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice of no time has one cancel, so each takes a round of the loop."""
    monkeypatch.setattr(module, "RELEASE_SLICE_SECONDS", 0.0)
    left = []
    with home() as server:
        service, gone = server.service, Flushed()
        several = [
            Subscription(gone, number, bytes(tmp_path), Scope.FILE)
            for number in range(20)
        ]
        for subscription in several:
            service.subscribe(subscription)
        service.leave(several)
        while service.is_letting_go:
            left.append(len(server.monitor.subscriptions))
            server.loop.run_once(0)
        assert not server.monitor.subscriptions
    assert left == list(range(19, 0, -1))
