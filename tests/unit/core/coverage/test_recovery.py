"""After lost events everything is rescanned, but not too often."""

from collections.abc import Callable

import pytest

from gamin.core.coverage.recovery import (
    MARGIN_NS,
    MAX_PAUSE,
    MIN_INTERVAL_PER_COST,
    MIN_PAUSE,
)
from gamin.core.effects import Deliver, Effect, Probe, Scan, TraceKind, Watch
from gamin.core.model.subscription import Scope
from gamin.events import OVERFLOW, Change
from testkit.doubles.clients import Client
from testkit.doubles.disk import Inode
from testkit.doubles.engine import Shell
from testkit.doubles.kernel import QUEUE_SIZE
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub/deep")
    shell.disk.touch(b"/d/f")
    return shell


@pytest.fixture
def tree(shell: Shell) -> Client:
    view = shell.view()
    view.subscribe(b"/d", Scope.TREE)
    view.rows()
    shell.sleep(1)
    shell.run_once()
    return view


def lose(shell: Shell) -> None:
    """The kernel's queue is full from now on."""
    shell.kernel.inotify.choke()


def received(shell: Shell, client: Client) -> list[str]:
    shell.run_once()
    return as_words(client.rows())


def test_a_rescan_reports_the_difference(shell: Shell, tree: Client) -> None:
    lose(shell)
    shell.disk.makedirs(b"/d/new/deep")
    shell.disk.rmtree(b"/d/sub")
    shell.disk.write(b"/d/f")
    assert sorted(received(shell, tree)) == [
        "changed /d/f",
        "created /d/new/",
        "created /d/new/deep/",
        "deleted /d/sub/",
        "deleted /d/sub/deep/",
    ]


def test_a_rescan_reports_nothing_about_unchanged_entries(
    shell: Shell, tree: Client
) -> None:
    lose(shell)
    shell.disk.touch(b"/elsewhere")
    assert received(shell, tree) == []
    assert shell.monitor.recovery.rescans == 1


def test_events_are_reported_one_by_one_again_after_a_rescan(
    shell: Shell, tree: Client
) -> None:
    lose(shell)
    shell.disk.makedirs(b"/d/new/deep")
    shell.run_once()
    tree.rows()
    shell.disk.touch(b"/d/new/deep/f")
    assert received(shell, tree) == ["created /d/new/deep/f"]


def test_a_rescan_detects_that_a_directory_was_replaced(
    shell: Shell, tree: Client
) -> None:
    lose(shell)
    shell.disk.rename(b"/d/sub", b"/elsewhere")
    shell.disk.makedirs(b"/d/sub/fresh")
    reported = received(shell, tree)
    assert "deleted /d/sub/deep/" in reported
    assert "created /d/sub/fresh/" in reported
    shell.disk.touch(b"/elsewhere/f")
    shell.disk.touch(b"/d/sub/f")
    assert received(shell, tree) == ["created /d/sub/f"]


def test_a_rescan_resolves_requested_paths_again(shell: Shell) -> None:
    client = shell.v1()
    client.subscribe(b"/d/sub/deep/f", Scope.FILE)
    client.rows()
    shell.sleep(1)
    shell.run_once()
    lose(shell)
    shell.disk.rename(b"/d", b"/away")
    shell.disk.makedirs(b"/d/sub/deep")
    shell.disk.touch(b"/d/sub/deep/f")
    created, *changed = received(shell, client)
    assert created == "created it"
    assert set(changed) <= {"changed it"}


def test_a_rescan_leaves_a_trace_and_is_counted(shell: Shell, tree: Client) -> None:
    lose(shell)
    shell.disk.touch(b"/d/new")
    shell.run_once()
    assert [note.what for note in shell.notes] == [TraceKind.OVERFLOW]
    assert shell.monitor.recovery.overflows == 1


def effects_of(shell: Shell) -> list[Effect]:
    """What a rescan asks the executor to do."""
    shell.monitor.recovery.on_overflow(shell.now)
    assert shell.monitor.start_recovery(shell.now)
    effects = shell.monitor.recover(shell.now)
    return effects + rest_of_rescan(shell)


def rest_of_rescan(shell: Shell) -> list[Effect]:
    effects: list[Effect] = []
    while shell.monitor.recovery.is_rescanning:
        effects += shell.monitor.recover_more(2, shell.now)
    return effects


def test_a_rescan_covers_every_directory_the_kernel_watches(
    shell: Shell, tree: Client
) -> None:
    effects = effects_of(shell)
    explored = {e.node.path() for e in effects if isinstance(e, Scan)}
    assert explored == {b"/d", b"/d/sub", b"/d/sub/deep"}
    assert [e.node.path() for e in effects if isinstance(e, Watch)] == [b"/"]
    assert any(isinstance(e, Probe) for e in effects)


def test_entries_older_than_the_last_complete_drain_are_not_reported(
    shell: Shell, tree: Client
) -> None:
    good = shell.monitor.recovery.complete_until_ns
    verified = {e.changed_since_ns for e in effects_of(shell) if isinstance(e, Scan)}
    assert verified == {good - MARGIN_NS}


@pytest.mark.parametrize("is_late", [False, True])
def test_what_changed_after_the_clock_was_set_back_is_found_by_a_rescan(
    shell: Shell, tree: Client, is_late: bool
) -> None:
    if is_late:  # the pause between two rescans is not over
        lose(shell)
        shell.disk.touch(b"/d/first")
        received(shell, tree)
        lose(shell)
        shell.disk.touch(b"/d/second")
        shell.drain()
    shell.set_back = 600
    lose(shell)
    shell.disk.write(b"/d/f")
    shell.sleep(60)
    shell.run_once()
    assert "changed /d/f" in as_words(tree.rows())


def test_rows_of_a_rescan_are_marked_as_recovered(shell: Shell, tree: Client) -> None:
    explore = next(e for e in effects_of(shell) if isinstance(e, Scan))
    listing = (explore, [b"sub"], [b"f", b"new"], ())
    effects = shell.monitor.listed([listing], shell.now)
    reported = [effect for effect in effects if isinstance(effect, Deliver)]
    assert [(as_words(t.rows), t.recovered) for t in reported] == [
        (["created /d/new"], True)
    ]


@pytest.mark.parametrize(
    ("cost", "pause"),
    [
        pytest.param(0.0, MIN_PAUSE, id="a rescan of next to nothing"),
        pytest.param(0.5, 0.5 * MIN_INTERVAL_PER_COST, id="a rescan of a large tree"),
        pytest.param(60.0, MAX_PAUSE, id="a rescan of a minute"),
    ],
)
def test_the_pause_between_rescans_grows_with_their_cost(
    shell: Shell, tree: Client, cost: float, pause: float
) -> None:
    recovery, start = shell.monitor.recovery, shell.now
    explore = next(e for e in effects_of(shell) if isinstance(e, Scan))
    shell.monitor.listed([(explore, [b"sub"], [b"f"], ())], start + cost)
    recovery.on_overflow(start + cost)
    assert recovery.due_at == pytest.approx(start + max(pause, cost))
    assert not recovery.start(start + max(pause, cost) - 0.001)
    assert recovery.start(start + max(pause, cost))


def test_a_loss_detected_during_a_rescan_causes_another_one(
    shell: Shell, tree: Client
) -> None:
    recovery = shell.monitor.recovery
    recovery.on_overflow(shell.now)
    assert recovery.start(shell.now)
    recovery.on_overflow(shell.now)
    shell.monitor.recover(shell.now)
    later = shell.now + MIN_PAUSE
    assert not recovery.start(later)  # the present one is finished first
    rest_of_rescan(shell)
    assert not recovery.start(later - 0.001)
    assert recovery.start(later)
    shell.monitor.recover(later)
    assert recovery.due_at is None
    assert recovery.is_unresolved
    rest_of_rescan(shell)
    assert not recovery.is_unresolved


def test_a_rescan_that_failed_is_started_again_after_a_pause(
    shell: Shell, tree: Client
) -> None:
    recovery = shell.monitor.recovery
    recovery.on_overflow(shell.now)
    assert recovery.start(shell.now)
    assert not recovery.start(shell.now)
    assert recovery.start(shell.now + MIN_PAUSE)


def test_a_drain_with_an_overflow_does_not_count_as_complete(
    shell: Shell, tree: Client
) -> None:
    monitor, before = shell.monitor, shell.monitor.recovery.complete_until_ns
    shell.do(monitor.changed([Change(None, OVERFLOW, 0, b"")], shell.now))
    monitor.drained(before + 1)
    assert monitor.recovery.complete_until_ns == before
    monitor.drained(before + 2)
    assert monitor.recovery.complete_until_ns == before + 2


def test_changes_that_an_exception_dropped_are_found_by_a_rescan(
    shell: Shell, tree: Client
) -> None:
    shell.disk.write(b"/d/f")
    shell.kernel.drain()
    shell.monitor.work_failed(shell.now)
    assert received(shell, tree) == ["changed /d/f"]


def test_a_flood_of_overflows_causes_few_rescans(shell: Shell, tree: Client) -> None:
    recovery, start = shell.monitor.recovery, shell.now
    while shell.now < start + 3:
        lose(shell)
        shell.disk.write(b"/d/f")
        shell.sleep(0.01)
    assert recovery.overflows > 2 * recovery.rescans
    assert recovery.rescans <= 3 / MIN_PAUSE + 1


def test_the_last_loss_of_a_flood_is_recovered_too(shell: Shell, tree: Client) -> None:
    for number in range(20):
        lose(shell)
        shell.disk.touch(b"/d/%d" % number)
        shell.run_once()
    assert shell.monitor.recovery.due_at is not None
    shell.settle()
    assert len([line for line in received(shell, tree) if "created" in line]) == 20
    assert shell.monitor.recovery.due_at is None


def test_a_loss_just_before_polling_takes_over_is_reported(
    shell: Shell, tree: Client
) -> None:
    """Polling takes what it finds when it begins as its baseline."""
    lose(shell)
    shell.disk.unlink(b"/d/f")
    shell.disk.mkdir(b"/d/new")
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.coverage.method.poll_for_churn(node)
    assert sorted(received(shell, tree)) == ["created /d/new/", "deleted /d/f"]
    assert node.kernel_mask == 0


def test_a_loss_just_before_polling_takes_over_is_reported_after_the_pause(
    shell: Shell, tree: Client
) -> None:
    effects_of(shell)  # so the next rescan has to wait
    lose(shell)
    shell.disk.unlink(b"/d/f")
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.coverage.method.poll_for_churn(node)
    assert received(shell, tree) == []
    shell.sleep(1)
    assert received(shell, tree) == ["deleted /d/f"]


def test_a_handover_to_polling_without_a_loss_is_forgotten_after_a_complete_drain(
    shell: Shell, tree: Client
) -> None:
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.coverage.method.poll_for_churn(node)
    assert node in shell.monitor.coverage.registers.handed_to_polling
    shell.run_once()
    assert not shell.monitor.coverage.registers.handed_to_polling


def test_a_directory_replaced_by_one_with_the_same_names_is_reported_as_changed(
    shell: Shell, tree: Client
) -> None:
    """The event of its deletion was lost, and the queue had room again for the event
    that ended its watch."""
    shell.disk.mkdir(b"/other")
    shell.disk.touch(b"/other/f")
    shell.disk.touch(b"/d/sub/f")
    shell.disk.rmdir(b"/d/sub/deep")
    shell.sleep(1)
    received(shell, tree)
    lose(shell)
    shell.disk.dropped = with_room(shell, shell.disk.dropped)
    shell.disk.rmtree(b"/d/sub")
    lose(shell)
    shell.disk.rename(b"/other", b"/d/sub")
    assert sorted(received(shell, tree)) == ["changed /d/sub/", "changed /d/sub/f"]


def with_room(
    shell: Shell, dropped: Callable[[Inode, int], None]
) -> Callable[[Inode, int], None]:
    def call(inode: Inode, mask: int) -> None:
        shell.kernel.inotify.room = QUEUE_SIZE
        dropped(inode, mask)

    return call
