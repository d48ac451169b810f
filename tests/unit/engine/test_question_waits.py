"""An answer waits until everything is detected that would be detected later."""

from collections.abc import Callable

import pytest

from gamin.config.gaminrc import Method, PathRule
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.question import MAX_RESCANS, bring_up_to_date
from testkit.actions.in_memory import Act
from testkit.doubles.clients import View
from testkit.doubles.disk import SEARCH
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words


def watching(shell: Shell, path: bytes = b"/d") -> View:
    """A client of a tree that has had its first rows."""
    shell.disk.makedirs(path)
    client = shell.view()
    client.subscribe(path, Scope.TREE)
    shell.sleep(1)
    client.rows()
    return client


def asked(shell: Shell, client: View) -> list[str]:
    """What the client has received once its tree is up to date, which it must be."""
    shell.synchronise()
    assert shell.bring_up_to_date(client.subscriptions[0])
    client.flush()
    return as_words(client.rows())


def test_a_loss_that_would_be_repaired_after_a_pause_is_repaired_at_once() -> None:
    shell = Shell()
    client = watching(shell)
    for name in (b"one", b"two"):
        shell.kernel.inotify.choke()
        shell.disk.touch(b"/d/" + name)
        shell.synchronise()
    assert shell.monitor.recovery.is_unresolved, "there is a pause between two rescans"
    assert {"created /d/one", "created /d/two"} <= set(asked(shell, client))


def lose_during(shell: Shell, rescans: int) -> Callable[[], None]:
    """What another program does before each system call: it overflows the queue once
    during each of the first rescans."""
    lost: set[int] = set()
    """Rescans, by their number, during which the queue overflowed."""

    def meanwhile() -> None:
        recovery = shell.monitor.recovery
        is_new = recovery.is_rescanning and recovery.rescans not in lost
        if is_new and len(lost) < rescans:
            lost.add(recovery.rescans)
            shell.kernel.inotify.choke()
            shell.disk.touch(b"/d/%d" % len(lost))

    return meanwhile


@pytest.mark.parametrize(
    ("rescans", "is_certain"),
    [(1, True), (MAX_RESCANS - 1, True), (MAX_RESCANS, False)],
)
def test_a_loss_during_a_rescan_is_repaired_by_another_one_but_not_for_ever(
    rescans: int, is_certain: bool
) -> None:
    shell = Shell()
    client = watching(shell)
    shell.disk.mkdir(b"/d/sub")
    shell.sleep(1)
    shell.kernel.inotify.choke()
    shell.disk.touch(b"/d/lost")
    shell.meanwhile = lose_during(shell, rescans)
    shell.synchronise()
    steps = bring_up_to_date(
        shell.executor, shell.monitor, shell.polling, shell, client.subscriptions[0]
    )

    def slices() -> None:
        while True:
            next(steps)
            shell.drain()  # as the loop does between slices

    with pytest.raises(StopIteration) as end:
        slices()
    assert end.value.value is is_certain


def test_a_path_behind_an_unreadable_directory_is_walked_again() -> None:
    shell = Shell()
    for folder in (b"/w/a", b"/w/b"):
        shell.disk.makedirs(folder)
    shell.disk.touch(b"/w/b/new")
    shell.disk.chmod(b"/w", SEARCH)
    client = watching(shell, b"/w/a")
    Act("swap", b"/w/a", b"/w/b").on(shell)
    assert asked(shell, client) == ["created /w/a/new"]


def test_a_polled_directory_is_polled_now() -> None:
    shell = Shell(plain_policy(PathRule(b"/d*", Method.POLL)))
    client = watching(shell)
    shell.disk.makedirs(b"/d/new/deep")
    assert "created /d/new/deep/" in asked(shell, client)


@pytest.fixture
def moved_in() -> tuple[Shell, View, Subscription]:
    """A tree that another tree was just moved into. Only the first level of that was
    known, so the rest is to be crawled; so is the tree of another client."""
    shell = Shell()
    shell.disk.makedirs(b"/out/b/1/2/3")
    shell.disk.makedirs(b"/large/1/2/3")
    client = watching(shell)
    other = shell.view()
    other.subscribe(b"/out", Scope.DIRECTORY)
    other.subscribe(b"/out/b", Scope.DIRECTORY)
    shell.disk.rename(b"/out/b", b"/d/b")
    shell.synchronise()
    large = Subscription(other.number, 3, b"/large", Scope.TREE)
    shell.do(shell.monitor.subscribe(large, shell.now))
    assert shell.executor.is_crawling
    return shell, client, large


def test_everything_to_be_crawled_for_the_question_is_crawled_now(
    moved_in: tuple[Shell, View, Subscription],
) -> None:
    shell, client, _ = moved_in
    assert "created /d/b/1/2/3/" in asked(shell, client)


def test_the_crawl_of_another_client_goes_on_in_its_slices(
    moved_in: tuple[Shell, View, Subscription],
) -> None:
    shell, client, large = moved_in
    asked(shell, client)
    assert shell.executor.is_crawling
    assert not large.ready
    shell.run_once()
    assert large.ready
