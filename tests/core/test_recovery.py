"""After an overflow: everything is looked at, and not too often."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from gamin.core.effects import Effect, Explore, Look, Noted, Tell, Watch
from gamin.core.recovery import FIRST_PAUSE, FORGET_AFTER, LONGEST_PAUSE, MARGIN_NS
from gamin.core.subscriptions import Scope
from tests.core.clients import Client
from tests.core.disk import Inode
from tests.core.kernel import QUEUE_SIZE
from tests.core.shell import Shell
from tests.core.words import said


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
    assert [note.what for note in shell.notes] == [Noted.OVERFLOW]
    assert shell.monitor.recovery.overflows == 1


def effects_of(shell: Shell) -> list[Effect]:
    recovery = shell.monitor.recovery
    recovery.overflowed(shell.now)
    return shell.monitor.changed([], shell.now)


def test_every_directory_the_kernel_watches_is_looked_at(
    shell: Shell, tree: Client
) -> None:
    effects = effects_of(shell)
    explored = {e.node.path() for e in effects if isinstance(e, Explore)}
    assert explored == {b"/d", b"/d/sub", b"/d/sub/deep"}
    assert [e.node.path() for e in effects if isinstance(e, Watch)] == [b"/"]
    assert any(isinstance(e, Look) for e in effects)


def test_older_than_the_last_good_drain_is_not_new(shell: Shell, tree: Client) -> None:
    good = shell.monitor.recovery.good_ns
    verified = {e.verify for e in effects_of(shell) if isinstance(e, Explore)}
    assert verified == {good - MARGIN_NS}


def test_rows_are_told_as_recovered(shell: Shell, tree: Client) -> None:
    explore = next(e for e in effects_of(shell) if isinstance(e, Explore))
    listing = (explore, [b"sub"], [b"f", b"new"], ())
    effects = shell.monitor.listed([listing], shell.now)
    told = [effect for effect in effects if isinstance(effect, Tell)]
    assert [(said(t.rows), t.recovered) for t in told] == [(["created /d/new"], True)]


def test_a_flood_of_overflows_makes_few_rescans(shell: Shell, tree: Client) -> None:
    recovery, start = shell.monitor.recovery, shell.now
    times: list[float] = []
    while shell.now < start + 120:
        lose(shell)
        shell.disk.write(b"/d/f")
        before = recovery.rescans
        shell.sleep(0.25)
        times += [shell.now - start] * (recovery.rescans - before)
    pauses = [b - a for a, b in pairwise(times)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE, abs=0.3)
    assert max(pauses) == pytest.approx(LONGEST_PAUSE, abs=0.5)
    assert len(times) <= 10


def test_the_last_loss_of_a_flood_is_made_good(shell: Shell, tree: Client) -> None:
    for number in range(20):
        lose(shell)
        shell.disk.touch(b"/d/%d" % number)
        shell.turn()
    assert shell.monitor.recovery.due_at is not None
    shell.settle()
    assert len([line for line in heard(shell, tree) if "created" in line]) == 20
    assert shell.monitor.recovery.due_at is None


def test_after_a_quiet_minute_the_first_pause_is_short_again(
    shell: Shell, tree: Client
) -> None:
    recovery = shell.monitor.recovery
    for _ in range(5):
        recovery.overflowed(shell.now)
        shell.settle()
    shell.sleep(FORGET_AFTER + 1)
    rescans = recovery.rescans
    recovery.overflowed(shell.now)
    assert recovery.rescans == rescans + 1
    recovery.overflowed(shell.now)
    assert recovery.due_at == shell.now + FIRST_PAUSE


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
    assert heard(shell, tree) == ["changed /d/sub/", "changed /d/sub/f"]


def with_room(
    shell: Shell, dropped: Callable[[Inode, int], None]
) -> Callable[[Inode, int], None]:
    def call(inode: Inode, mask: int) -> None:
        shell.kernel.inotify.room = QUEUE_SIZE
        dropped(inode, mask)

    return call
