"""What the executor promises to whoever drives it: what is due and when, what a request
knows, and that slices are small. `test_failing_work` is about what fails."""

from collections.abc import Callable, Sequence

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import Method, PathRule
from gamin.core.effects import Effect, Listing
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.drain_schedule import BURST_EVENTS, BURST_PAUSE, Slices
from gamin.engine.executor import FIRST_BATCH
from gamin.engine.ports import AT_ONCE
from gamin.events import AnyChange
from testkit.doubles.engine import SLICES, Shell, plain_policy
from testkit.doubles.kernel import WHOLE_QUEUE
from testkit.words import as_words

KERNEL, POLLED = b"/k", b"/p"
PIECE = 3


class Bug(RuntimeError):
    """Raised once, in the middle of what is due."""


class Watched(Shell):
    """One tree that the kernel watches, and one that is polled."""

    def __init__(
        self, piece: int = WHOLE_QUEUE, slices: Slices = SLICES, folders: int = 0
    ) -> None:
        """`folders`: how many directories the tree of the kernel has."""
        policy = plain_policy(PathRule(b"/p*", Method.POLL))
        super().__init__(policy, piece=piece, slices=slices)
        self.is_drained_by_loop = True
        self.drops_next = False
        self.batches: list[int] = []
        """How many directories were listed together each time."""
        self.asked = []
        for path in (KERNEL, POLLED):
            self.disk.makedirs(path)
        for number in range(folders):
            self.disk.mkdir(KERNEL + b"/folder-%d" % number)
        for path in (KERNEL, POLLED):
            self.asked.append(self.view().subscribe(path, Scope.TREE))
        self.sleep(3)
        self.names()

    def detected(self, changes: Sequence[AnyChange]) -> None:
        if self.drops_next:
            self.drops_next = False
            raise Bug

    def listed(self, listings: Sequence[Listing]) -> None:
        self.batches.append(len(listings))

    def names(self) -> set[str]:
        """The last names of what clients received since the last call."""
        rows = [row for client in self.clients for row in client.rows()]
        return {line.rsplit("/", 1)[1] for line in as_words(rows)}

    def touch(self, count: int) -> None:
        for number in range(count):
            self.disk.touch(KERNEL + b"/%d" % number)

    def lose(self, name: bytes) -> None:
        """A file is made, and the kernel has no room for its event."""
        self.kernel.inotify.choke()
        self.disk.touch(KERNEL + b"/" + name)

    def at(self, time: float | None) -> None:
        """The clock goes on; nothing is called."""
        assert time is not None
        self.now = max(self.now, time)

    def is_known(self, name: bytes) -> bool:
        node = self.monitor.tree.find(KERNEL)
        return node is not None and name in node.names

    def crawl(self, count: int) -> None:
        """Somebody asks for a tree of so many directories; none is listed yet."""
        for number in range(count):
            self.disk.makedirs(b"/large/%d" % number)
        asked = Subscription(0, 9, b"/large", Scope.TREE)
        self.synchronise()
        self.do(self.monitor.subscribe(asked, self.now))

    def fails(self, call: Callable[[], object]) -> None:
        """Have the next system call of `call` raise an exception."""

        def fail() -> None:
            self.meanwhile = lambda: None
            raise Bug

        self.meanwhile = fail
        with pytest.raises(Bug):
            call()


@pytest.fixture
def shell() -> Watched:
    return Watched()


@pytest.fixture
def pieces() -> Watched:
    """The kernel's events come in pieces."""
    return Watched(PIECE)


# -- what is due, and when


def test_at_rest_only_polling_is_due(shell: Watched) -> None:
    executor = shell.executor
    assert executor.deadline() == shell.polling.deadline()
    assert not executor.is_drain_scheduled
    assert not executor.is_scanning
    assert not executor.is_crawling


@pytest.mark.parametrize(
    ("core", "polling", "soonest"),
    [(None, None, None), (5, None, 5), (None, 5, 5), (5, 7, 5), (7, 5, 5)],
)
def test_the_soonest_deadline_counts(
    shell: Watched,
    monkeypatch: pytest.MonkeyPatch,
    core: float | None,
    polling: float | None,
    soonest: float | None,
) -> None:
    monkeypatch.setattr(shell.monitor, "deadline", lambda: core)
    monkeypatch.setattr(shell.polling, "deadline", lambda: polling)
    assert shell.executor.deadline() == soonest


def test_the_drain_after_a_burst_waits_for_its_time(shell: Watched) -> None:
    executor = shell.executor
    shell.touch(BURST_EVENTS)
    shell.drain()
    assert executor.last_drain == shell.now
    assert executor.is_drain_scheduled
    assert executor.deadline() == shell.now + BURST_PAUSE
    assert "0" in shell.names(), "what was drained is sent at once"
    shell.disk.touch(KERNEL + b"/late")
    executor.due()
    assert "late" not in shell.names()
    shell.at(executor.deadline())
    executor.due()
    assert "late" in shell.names()
    assert executor.last_drain == shell.now


def test_polling_and_the_core_wait_for_their_time(
    shell: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[float] = []

    def due(now: float) -> list[Effect]:
        called.append(now)
        return []

    monkeypatch.setattr(shell.monitor, "due", due)
    monkeypatch.setattr(shell.monitor, "deadline", lambda: shell.now + 1)
    shell.disk.touch(POLLED + b"/polled")
    shell.executor.due()
    assert not called
    assert "polled" not in shell.names()
    shell.at(shell.polling.deadline())
    shell.executor.due()
    assert "polled" in shell.names()


def test_what_is_left_to_scan_or_list_is_due_at_once(shell: Watched) -> None:
    shell.crawl(20)
    assert shell.executor.is_crawling
    assert not shell.executor.is_scanning
    assert shell.executor.deadline() == AT_ONCE
    shell.run_once()
    shell.lose(b"lost")
    shell.drain()
    shell.executor.recover()
    assert shell.executor.is_scanning
    assert shell.executor.deadline() == AT_ONCE


# -- requests


def test_a_request_knows_what_happened_before_it_and_sends_nothing(
    pieces: Watched,
) -> None:
    pieces.touch(4 * PIECE)
    assert pieces.executor.synchronise() >= 4 * PIECE
    assert pieces.is_known(b"%d" % (4 * PIECE - 1))
    assert not pieces.names()


def test_a_request_after_a_loss_begins_a_rescan(shell: Watched) -> None:
    shell.lose(b"lost")
    shell.executor.synchronise()
    assert shell.monitor.recovery.is_rescanning


def test_a_rescan_that_is_only_pending_begins_where_it_is_wanted_at_once(
    shell: Watched,
) -> None:
    shell.lose(b"first")
    shell.run_once()
    shell.lose(b"second")
    shell.drain()
    assert not shell.executor.recover()
    shell.disk.touch(KERNEL + b"/queued")
    assert shell.executor.recover(at_once=True)
    assert shell.is_known(b"queued"), "older events must not be applied to the rescan"
    assert not shell.executor.recover(at_once=True)


def test_details_are_asked_of_the_kernel_while_somebody_wants_them(
    shell: Watched,
) -> None:
    asked = shell.clients[0].subscribe(KERNEL, Scope.TREE, wants_details=True)
    shell.drain()
    assert shell.kernel.is_detailed
    shell.drain()
    assert shell.kernel.is_detailed
    shell.clients[0].cancel(asked)
    shell.drain()
    assert not shell.kernel.is_detailed


def test_a_change_may_be_undetected_as_long_as_polling_is_late(shell: Watched) -> None:
    shell.now += 70
    assert shell.monitor.longest_undetected >= 70


# -- between the kernel and polling, and between two clocks


def test_what_the_kernel_reported_is_not_found_by_polling_again() -> None:
    """A file that is written all the time is polled; names are the kernel's."""
    shell = Shell(settings=FlowSettings(reports_per_second=2, raw_events_per_second=5))
    shell.disk.makedirs(KERNEL)
    shell.disk.touch(KERNEL + b"/busy")
    client = shell.view()
    client.subscribe(KERNEL, Scope.TREE)
    for _ in range(20):
        shell.disk.write(KERNEL + b"/busy")
        shell.run_once()
    node = shell.monitor.tree.find(KERNEL)
    assert node is not None
    assert node.kernel_mask
    assert node.poll_mask
    shell.disk.mkdir(KERNEL + b"/new")
    shell.sleep(1.5)
    client.rows()
    shell.disk.rmdir(KERNEL + b"/new")
    shell.disk.mkdir(KERNEL + b"/new")
    shell.sleep(1.5)
    reported = [line for line in as_words(client.rows()) if "new" in line]
    assert reported == ["deleted /k/new/", "created /k/new/"]


def test_a_change_that_was_lost_after_the_clock_was_set_back_is_found(
    shell: Watched,
) -> None:
    shell.disk.touch(KERNEL + b"/old")
    shell.sleep(5)
    shell.names()
    shell.set_back = 100.0
    shell.kernel.inotify.choke()
    shell.disk.modify(KERNEL + b"/old")
    shell.sleep(2)
    assert "old" in shell.names()


# -- what is known, and what waits


def test_a_complete_drain_is_known_as_such_and_another_is_not(
    pieces: Watched,
) -> None:
    pieces.now += 1
    pieces.drain()
    complete_until = pieces.monitor.recovery.complete_until_ns
    assert complete_until == pieces.time_ns()
    pieces.now += 1
    pieces.touch(5 * PIECE)
    pieces.drain()
    assert pieces.monitor.recovery.complete_until_ns == complete_until


def test_what_a_rescan_read_ahead_is_due(shell: Watched) -> None:
    shell.lose(b"lost")
    shell.drain()
    shell.executor.recover()
    shell.disk.touch(KERNEL + b"/late")
    while shell.executor.is_scanning:
        shell.executor.scan_slice()
    assert not shell.kernel.inotify.queue, "the scan has read it"
    assert shell.executor.is_drain_scheduled


def test_what_somebody_waits_for_is_scanned_with_the_next_slices(
    shell: Watched,
) -> None:
    shell.crawl(20)
    [asked] = shell.monitor.subscriptions - {*shell.asked}
    assert not shell.executor.hurry(shell.asked[0])
    assert not shell.executor.is_scanning
    assert shell.executor.hurry(asked)
    assert shell.executor.is_scanning


# -- slices


def test_a_drain_applies_some_pieces_and_the_rest_is_due_at_once(
    pieces: Watched,
) -> None:
    pieces.touch(5 * PIECE)
    pieces.drain()
    assert 0 < len(pieces.names()) <= SLICES.drain_pieces * PIECE
    assert pieces.executor.deadline() == AT_ONCE


def test_batches_of_a_fast_crawl_grow_and_the_next_crawl_begins_small() -> None:
    shell = Watched(slices=Slices(crawl_seconds=0.0), folders=100)
    growing = [1, 2 * FIRST_BATCH, 4 * FIRST_BATCH]
    assert shell.batches[:3] == growing
    for _ in range(2):
        shell.crawl(100)
        shell.batches.clear()
        while shell.executor.is_crawling:
            shell.executor.due()
        assert shell.batches[:3] == growing
        assert max(shell.batches) <= Slices().crawl_batch
        shell.end(next(iter(shell.monitor.subscriptions - {*shell.asked})))


def test_batches_of_a_slow_crawl_shrink() -> None:
    shell = Watched(slices=Slices(crawl_seconds=0.1))

    def slow() -> None:
        shell.now += 0.2

    shell.crawl(100)
    shell.batches.clear()
    shell.meanwhile = slow
    while shell.executor.is_crawling:
        shell.executor.due()
    batches = [count for count in shell.batches if count]
    assert batches[1] == FIRST_BATCH // 2
    assert batches[-1] == 1


def test_a_slice_of_scans_ends_when_its_time_is_over(shell: Watched) -> None:
    for number in range(20):
        shell.disk.makedirs(KERNEL + b"/%d" % number)
    shell.run_once()
    shell.lose(b"lost")
    shell.drain()
    shell.executor.recover()
    slices = 0
    while shell.executor.is_scanning:
        shell.batches.clear()
        shell.executor.scan_slice()
        assert len(shell.batches) <= SLICES.scan_batch
        slices += 1
    assert slices > 20 // SLICES.scan_batch
