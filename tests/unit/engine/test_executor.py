"""The order in which the executor works, on a kernel, a poller and a disk in memory."""

from collections.abc import Iterable, Sequence

import pytest

from gamin.core.coverage.recovery import MIN_PAUSE
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.ports import AT_ONCE
from gamin.events import AnyChange, Row
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words

PIECE = 3


class Provoked(View):
    """A client that makes files the first time it receives a certain name."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell, len(shell.listeners))
        self.trigger = b"/"
        """The end of a path; no path ends like this."""
        self.new: list[bytes] = []
        shell.listeners.append(self)

    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        rows = list(rows)
        super().deliver(subscription, rows)
        if any(row.path.endswith(self.trigger) for row in rows):
            self.trigger = b"/"
            for path in self.new:
                self.host.disk.touch(path)

    def names(self) -> set[str]:
        self.flush()
        return {line.rsplit("/", 1)[1] for line in as_words(self.rows())}


class Buggy(Shell):
    """Drops a batch of the kernel's changes by an exception, once."""

    is_broken = False
    error: Exception = RuntimeError("a bug")
    memory_failures = 0

    def no_memory(self) -> None:
        self.memory_failures += 1

    def detected(self, changes: Sequence[AnyChange]) -> None:
        if self.is_broken:
            self.is_broken = False
            raise self.error


def watching(shell: Shell) -> Provoked:
    shell.disk.makedirs(b"/d")
    client = Provoked(shell)
    client.subscribe(b"/d", Scope.TREE)
    shell.sleep(1)
    client.rows()
    return client


@pytest.fixture
def shell() -> Buggy:
    return Buggy(piece=PIECE)


@pytest.fixture
def client(shell: Buggy) -> Provoked:
    return watching(shell)


def run_what_is_due(shell: Shell) -> None:
    """Nothing happens, and the executor is called when it asked to be."""
    while shell.executor.deadline() == AT_ONCE:
        shell.executor.due()


def test_nothing_is_due_while_nothing_is_pending(
    shell: Buggy, client: Provoked
) -> None:
    shell.run_once()
    assert shell.executor.deadline() is None
    assert not shell.executor.is_drain_scheduled
    assert not shell.executor.is_crawling


def test_events_read_ahead_during_a_request_are_reported_without_another_event(
    shell: Buggy, client: Provoked
) -> None:
    for number in range(2 * PIECE):
        shell.disk.touch(b"/d/%d" % number)
    client.trigger, client.new = b"/0", [b"/d/late"]
    shell.synchronise()
    assert "late" not in client.names()
    assert shell.executor.is_drain_scheduled
    run_what_is_due(shell)
    assert client.names() == {"late"}


def test_events_read_ahead_during_a_rescan_are_reported_without_another_event(
    shell: Buggy, client: Provoked
) -> None:
    folders = [b"/d/%d" % number for number in range(5)]
    for folder in folders:
        shell.disk.mkdir(folder)
    shell.sleep(1)
    shell.kernel.inotify.choke()
    for folder in folders:
        shell.disk.touch(folder + b"/new")
    client.trigger = b"/new"
    client.new = [folder + b"/late" for folder in folders]
    shell.synchronise()
    run_what_is_due(shell)
    assert {"new", "late"} <= client.names()


def test_a_rescan_waits_for_what_is_queued_behind_the_mark_of_an_overflow(
    shell: Buggy, client: Provoked
) -> None:
    """While the queue is read up to the mark, it has room again: the creation of a file
    gets in behind the mark, and its deletion is lost without a mark of its own."""
    shell.disk.touch(b"/d/turn")
    shell.run_once()
    for _ in range(PIECE):
        shell.disk.modify(b"/d/turn")
        shell.disk.utime(b"/d/turn")
    shell.kernel.inotify.choke()
    shell.disk.modify(b"/d/turn")

    def meanwhile() -> None:
        shell.meanwhile = lambda: None
        shell.disk.touch(b"/d/ghost")
        shell.kernel.inotify.choke()
        shell.disk.unlink(b"/d/ghost")

    shell.meanwhile = meanwhile
    shell.run_once()
    shell.sleep(MIN_PAUSE)
    assert shell.monitor.recovery.overflows == 1
    assert shell.monitor.recovery.rescans == 1
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    assert set(node.names) == {b"turn"}


def test_changes_that_an_exception_drops_are_recovered_and_later_events_are_reported(
    shell: Buggy, client: Provoked
) -> None:
    shell.is_broken = True
    shell.disk.touch(b"/d/dropped")
    with pytest.raises(RuntimeError):
        shell.drain()
    shell.sleep(MIN_PAUSE)
    assert client.names() == {"dropped"}
    shell.disk.touch(b"/d/next")
    shell.run_once()
    assert client.names() == {"next"}


@pytest.mark.parametrize("error", [RuntimeError(), MemoryError()])
def test_a_lack_of_memory_is_reported_to_who_delivers(
    shell: Buggy, client: Provoked, error: Exception
) -> None:
    """Rows may be lost that the tree has already: to scan again would not find them."""
    shell.is_broken, shell.error = True, error
    shell.disk.touch(b"/d/dropped")
    with pytest.raises(type(error)):
        shell.drain()
    assert (shell.memory_failures > 0) == isinstance(error, MemoryError)


def test_changes_that_an_exception_drops_during_a_request_are_recovered(
    shell: Buggy, client: Provoked
) -> None:
    shell.is_broken = True
    files = {str(number) for number in range(2 * PIECE)}
    for name in files:
        shell.disk.touch(b"/d/" + name.encode())
    with pytest.raises(RuntimeError):
        shell.synchronise()
    assert shell.executor.is_drain_scheduled
    run_what_is_due(shell)
    shell.sleep(MIN_PAUSE)
    assert client.names() == files


def test_a_request_finds_what_was_lost_before_it(
    shell: Buggy, client: Provoked
) -> None:
    shell.kernel.inotify.choke()
    shell.disk.touch(b"/d/lost")
    shell.synchronise()
    assert shell.bring_up_to_date(client.subscriptions[0])
    assert client.names() == {"lost"}


def test_a_drain_stops_after_some_pieces_and_the_rest_is_due_at_once(
    shell: Buggy, client: Provoked
) -> None:
    for number in range(5 * PIECE):
        shell.disk.touch(b"/d/%d" % number)
    shell.drain()
    assert 0 < len(client.names()) < 5 * PIECE
    assert shell.executor.deadline() == AT_ONCE
    run_what_is_due(shell)
    shell.sleep(1)
    assert shell.executor.deadline() is None


def test_a_large_tree_is_listed_in_slices_and_events_are_applied_between() -> None:
    shell = Shell()
    for number in range(20):
        shell.disk.makedirs(b"/d/%d" % number)
    client = Provoked(shell)
    subscription = Subscription(client.number, 1, b"/d", Scope.TREE)
    client.subscriptions.append(subscription)
    shell.synchronise()
    shell.do(shell.monitor.subscribe(subscription, shell.now))
    slices = 0
    new = 4
    while shell.executor.is_crawling:
        if slices < new:
            shell.disk.mkdir(b"/d/new-%d" % slices)
        assert shell.executor.deadline() == AT_ONCE
        shell.executor.due()
        assert not shell.kernel.inotify.queue
        slices += 1
    assert slices > new
    rows = list(shell.monitor.listing(subscription))
    assert len(rows) == 20 + new


def test_a_rescan_is_done_in_slices_and_events_are_delivered_between() -> None:
    shell = Shell()
    for number in range(20):
        shell.disk.makedirs(b"/d/%d" % number)
    client = watching(shell)
    shell.kernel.inotify.choke()
    shell.disk.touch(b"/d/lost")
    shell.drain()
    recovery, between = shell.monitor.recovery, 0
    while recovery.is_unresolved:
        shell.disk.touch(b"/d/0/%d" % between)
        shell.executor.due()
        if recovery.is_rescanning:
            assert str(between) in client.names()
            between += 1
    assert between > 4
    assert recovery.rescans == 1
    assert shell.monitor.tree.find(b"/d/19") is not None


def test_an_exception_in_one_thing_that_is_due_does_not_stop_the_others() -> None:
    shell = Buggy(plain_policy(), piece=PIECE)
    client = watching(shell)
    for number in range(3 * PIECE):
        shell.disk.touch(b"/d/%d" % number)
    shell.drain()
    assert shell.executor.is_drain_scheduled
    shell.is_broken = True
    shell.disk.mkdir(b"/other")
    other = Subscription(client.number, 2, b"/other", Scope.TREE)
    shell.do(shell.monitor.subscribe(other, shell.now))
    assert shell.executor.is_crawling
    with pytest.raises(RuntimeError):
        shell.executor.due()
    run_what_is_due(shell)
    assert not shell.executor.is_crawling


def test_what_polling_found_before_an_exception_is_found_again() -> None:
    shell = Shell(plain_policy(poll_only=True), has_kernel=False)
    client = watching(shell)
    shell.disk.touch(b"/d/new")
    assert shell.polling.poll_below(b"/d")  # and an exception drops it
    shell.monitor.work_failed(shell.now)
    shell.sleep(1)
    assert client.names() == {"new"}
