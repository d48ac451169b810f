"""After an overflow: everything is looked at, and not too often."""

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
from testkit.doubles.clients import Client
from testkit.doubles.disk import Inode
from testkit.doubles.engine import Shell
from testkit.doubles.kernel import QUEUE_SIZE
from testkit.words import said


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
    shell.turn()
    return view


def lose(shell: Shell) -> None:
    """The queue is full from now on."""
    shell.kernel.inotify.choke()


def heard(shell: Shell, client: Client) -> list[str]:
    shell.turn()
    return said(client.rows())


def test_what_was_lost_is_told_as_a_difference(shell: Shell, tree: Client) -> None:
    lose(shell)
    shell.disk.makedirs(b"/d/new/deep")
    shell.disk.rmtree(b"/d/sub")
    shell.disk.write(b"/d/f")
    assert sorted(heard(shell, tree)) == [
        "changed /d/f",
        "created /d/new/",
        "created /d/new/deep/",
        "deleted /d/sub/",
        "deleted /d/sub/deep/",
    ]


def test_what_did_not_change_is_not_told(shell: Shell, tree: Client) -> None:
    lose(shell)
    shell.disk.touch(b"/elsewhere")
    assert heard(shell, tree) == []
    assert shell.monitor.recovery.rescans == 1


def test_the_queue_is_exact_again_afterwards(shell: Shell, tree: Client) -> None:
    lose(shell)
    shell.disk.makedirs(b"/d/new/deep")
    shell.turn()
    tree.rows()
    shell.disk.touch(b"/d/new/deep/f")
    assert heard(shell, tree) == ["created /d/new/deep/f"]


def test_a_directory_that_was_replaced_is_another_one(
    shell: Shell, tree: Client
) -> None:
    lose(shell)
    shell.disk.rename(b"/d/sub", b"/elsewhere")
    shell.disk.makedirs(b"/d/sub/fresh")
    told = heard(shell, tree)
    assert "deleted /d/sub/deep/" in told
    assert "created /d/sub/fresh/" in told
    shell.disk.touch(b"/elsewhere/f")
    shell.disk.touch(b"/d/sub/f")
    assert heard(shell, tree) == ["created /d/sub/f"]


def test_a_way_that_leads_elsewhere_is_walked_again(shell: Shell) -> None:
    client = shell.v1()
    client.subscribe(b"/d/sub/deep/f", Scope.FILE)
    client.rows()
    shell.sleep(1)
    shell.turn()
    lose(shell)
    shell.disk.rename(b"/d", b"/away")
    shell.disk.makedirs(b"/d/sub/deep")
    shell.disk.touch(b"/d/sub/deep/f")
    assert heard(shell, client) == ["created it"]


def test_it_is_noted(shell: Shell, tree: Client) -> None:
    lose(shell)
    shell.disk.touch(b"/d/new")
    shell.turn()
    assert [note.what for note in shell.notes] == [TraceKind.OVERFLOW]
    assert shell.monitor.recovery.overflows == 1


def effects_of(shell: Shell) -> list[Effect]:
    recovery = shell.monitor.recovery
    recovery.overflowed(shell.now)
    recovery.start(shell.now)
    return shell.monitor.recover(shell.now)


def test_every_directory_the_kernel_watches_is_looked_at(
    shell: Shell, tree: Client
) -> None:
    effects = effects_of(shell)
    explored = {e.node.path() for e in effects if isinstance(e, Scan)}
    assert explored == {b"/d", b"/d/sub", b"/d/sub/deep"}
    assert [e.node.path() for e in effects if isinstance(e, Watch)] == [b"/"]
    assert any(isinstance(e, Probe) for e in effects)


def test_older_than_the_last_good_drain_is_not_new(shell: Shell, tree: Client) -> None:
    good = shell.monitor.recovery.complete_until_ns
    verified = {e.changed_since_ns for e in effects_of(shell) if isinstance(e, Scan)}
    assert verified == {good - MARGIN_NS}


def test_rows_are_told_as_recovered(shell: Shell, tree: Client) -> None:
    explore = next(e for e in effects_of(shell) if isinstance(e, Scan))
    listing = (explore, [b"sub"], [b"f", b"new"], ())
    effects = shell.monitor.listed([listing], shell.now)
    told = [effect for effect in effects if isinstance(effect, Deliver)]
    assert [(said(t.rows), t.recovered) for t in told] == [(["created /d/new"], True)]


@pytest.mark.parametrize(
    ("cost", "pause"),
    [
        pytest.param(0.0, MIN_PAUSE, id="a look at next to nothing"),
        pytest.param(0.5, 0.5 * MIN_INTERVAL_PER_COST, id="a look at much"),
        pytest.param(60.0, MAX_PAUSE, id="a look at more than can be borne"),
    ],
)
def test_looking_takes_but_a_share_of_the_time(
    shell: Shell, tree: Client, cost: float, pause: float
) -> None:
    recovery, start = shell.monitor.recovery, shell.now
    explore = next(e for e in effects_of(shell) if isinstance(e, Scan))
    shell.monitor.listed([(explore, [b"sub"], [b"f"], ())], start + cost)
    recovery.overflowed(start + cost)
    assert recovery.due_at == pytest.approx(start + max(pause, cost))
    assert not recovery.is_due(start + max(pause, cost) - 0.001)
    assert recovery.is_due(start + max(pause, cost))


def test_a_loss_that_was_noticed_on_the_way_is_for_another_look(
    shell: Shell, tree: Client
) -> None:
    recovery = shell.monitor.recovery
    recovery.overflowed(shell.now)
    recovery.start(shell.now)
    recovery.overflowed(shell.now)
    shell.monitor.recover(shell.now)
    later = shell.now + MIN_PAUSE
    assert not recovery.is_due(later - 0.001)
    assert recovery.is_due(later)
    recovery.start(later)
    shell.monitor.recover(later)
    assert recovery.due_at is None


def test_a_look_that_was_begun_and_failed_is_begun_again(
    shell: Shell, tree: Client
) -> None:
    recovery = shell.monitor.recovery
    recovery.overflowed(shell.now)
    recovery.start(shell.now)
    assert not recovery.is_due(shell.now)
    assert recovery.is_due(shell.now + MIN_PAUSE)


def test_a_flood_of_overflows_makes_few_looks(shell: Shell, tree: Client) -> None:
    recovery, start = shell.monitor.recovery, shell.now
    while shell.now < start + 3:
        lose(shell)
        shell.disk.write(b"/d/f")
        shell.sleep(0.01)
    assert recovery.overflows > 2 * recovery.rescans
    assert recovery.rescans <= 3 / MIN_PAUSE + 1


def test_the_last_loss_of_a_flood_is_made_good(shell: Shell, tree: Client) -> None:
    for number in range(20):
        lose(shell)
        shell.disk.touch(b"/d/%d" % number)
        shell.turn()
    assert shell.monitor.recovery.due_at is not None
    shell.settle()
    assert len([line for line in heard(shell, tree) if "created" in line]) == 20
    assert shell.monitor.recovery.due_at is None


def test_what_was_lost_before_a_directory_went_to_polling_is_told(
    shell: Shell, tree: Client
) -> None:
    """Polling takes for known what it finds when it begins."""
    lose(shell)
    shell.disk.unlink(b"/d/f")
    shell.disk.mkdir(b"/d/new")
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.coverage.poll_only(node)
    assert sorted(heard(shell, tree)) == ["created /d/new/", "deleted /d/f"]
    assert node.kernel_mask == 0


def test_so_is_what_was_lost_when_the_next_look_has_to_wait(
    shell: Shell, tree: Client
) -> None:
    effects_of(shell)  # the first look was just now
    lose(shell)
    shell.disk.unlink(b"/d/f")
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.coverage.poll_only(node)
    assert heard(shell, tree) == []
    shell.sleep(1)
    assert heard(shell, tree) == ["deleted /d/f"]


def test_who_went_to_polling_while_nothing_was_lost_is_forgotten(
    shell: Shell, tree: Client
) -> None:
    node = shell.monitor.tree.find(b"/d")
    assert node is not None
    shell.monitor.coverage.poll_only(node)
    assert node in shell.monitor.coverage.handed_to_polling
    shell.turn()
    assert not shell.monitor.coverage.handed_to_polling


def test_a_directory_that_ended_unnoticed_is_another_with_the_same_names(
    shell: Shell, tree: Client
) -> None:
    """There was room in the queue again when its watch ended, right after the event of
    its deletion was lost."""
    shell.disk.mkdir(b"/other")
    shell.disk.touch(b"/other/f")
    shell.disk.touch(b"/d/sub/f")
    shell.disk.rmdir(b"/d/sub/deep")
    shell.sleep(1)
    heard(shell, tree)
    lose(shell)
    shell.disk.dropped = with_room(shell, shell.disk.dropped)
    shell.disk.rmtree(b"/d/sub")
    lose(shell)
    shell.disk.rename(b"/other", b"/d/sub")
    assert sorted(heard(shell, tree)) == ["changed /d/sub/", "changed /d/sub/f"]


def with_room(
    shell: Shell, dropped: Callable[[Inode, int], None]
) -> Callable[[Inode, int], None]:
    def call(inode: Inode, mask: int) -> None:
        shell.kernel.inotify.room = QUEUE_SIZE
        dropped(inode, mask)

    return call
