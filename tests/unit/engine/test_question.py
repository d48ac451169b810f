"""Before a question is answered: what waits is scanned, what is polled is polled."""

from collections.abc import Callable

import pytest

from gamin.config.gaminrc import Method, PathRule
from gamin.core.effects import Effect
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.ports import Asked
from gamin.engine.question import MAX_RESCANS, bring_up_to_date
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words


class Scans:
    """An executor that has `left` slices to scan; `on_recover` may make them more."""

    def __init__(self, shell: Shell, left: int = 0) -> None:
        self.shell = shell
        self.left = left
        self.recoveries = 0
        self.on_recover: Callable[[], None] = lambda: None

    @property
    def is_scanning(self) -> bool:
        return self.left > 0

    def do(self, effects: list[Effect]) -> None:
        self.shell.do(effects)

    def recover(self, *, at_once: bool) -> bool:
        assert at_once
        self.recoveries += 1
        self.on_recover()
        return True

    def scan_slice(self) -> None:
        self.left -= 1

    def hurry(self, subscription: Asked) -> bool:
        return False


@pytest.fixture
def shell() -> Shell:
    rules = [PathRule(each, Method.POLL) for each in (b"/t/polled", b"/other/polled")]
    shell = Shell(plain_policy(*rules))
    shell.disk.makedirs(b"/t/polled")
    return shell


def subscribed(shell: Shell) -> Subscription:
    return shell.view().subscribe(b"/t", Scope.TREE)


def asked(work: Scans, subscription: Subscription) -> tuple[bool, int]:
    """The result, and how often others had their turn before it."""
    shell = work.shell
    steps = bring_up_to_date(work, shell.monitor, shell.polling, shell, subscription)
    turns = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return bool(end.value), turns
        turns += 1


def test_what_waits_is_scanned_in_slices(shell: Shell) -> None:
    work = Scans(shell, left=3)
    result, turns = asked(work, subscribed(shell))
    assert result
    assert turns >= 3
    assert work.left == 0


def test_what_is_polled_is_polled_now(shell: Shell) -> None:
    subscription = subscribed(shell)
    (client,) = shell.clients
    client.rows()
    shell.disk.touch(b"/t/polled/new")
    shell.run_once()
    assert as_words(client.rows()) == []
    result, _ = asked(Scans(shell), subscription)
    assert result
    shell.flush()
    assert as_words(client.rows()) == ["created /t/polled/new"]


def test_what_is_polled_elsewhere_is_left_alone(shell: Shell) -> None:
    shell.disk.makedirs(b"/other/polled")
    subscription = subscribed(shell)
    shell.view().subscribe(b"/other", Scope.TREE)
    client = shell.clients[-1]
    client.rows()
    shell.disk.touch(b"/other/polled/new")
    assert asked(Scans(shell), subscription)[0]
    shell.flush()
    assert as_words(client.rows()) == []


def test_losses_that_never_end_are_no_answer(shell: Shell) -> None:
    work = Scans(shell)
    recovery = shell.monitor.recovery
    subscription = subscribed(shell)
    shell.kernel.inotify.choke()
    shell.disk.touch(b"/t/lost")
    shell.executor.drain()
    assert recovery.is_unresolved
    result, _ = asked(work, subscription)
    assert not result
    assert work.recoveries == MAX_RESCANS
