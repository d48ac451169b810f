"""Work that fails for want of memory is done later, and loses nothing."""

from collections.abc import Sequence

import pytest

from gamin.core.effects import Listing
from gamin.core.model.subscription import Scope, Subscription
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.words import as_words


class Starved(Shell):
    """Has no memory to pass the next `Ready` on, or the next listings."""

    has_memory = True
    can_list = True

    def ready(self, subscription: Subscription) -> None:
        if not self.has_memory:
            self.has_memory = True
            raise MemoryError
        super().ready(subscription)

    def listed(self, listings: Sequence[Listing]) -> None:
        if not self.can_list:
            self.can_list = True
            raise MemoryError
        super().listed(listings)


@pytest.fixture
def shell() -> Starved:
    return Starved()


def watching(shell: Shell) -> View:
    client = shell.view()
    client.subscribe(b"/d", Scope.TREE)
    shell.sleep(1)
    return client


def test_a_client_becomes_ready_when_there_is_memory_again(
    shell: Starved,
) -> None:
    shell.disk.makedirs(b"/d")
    shell.has_memory = False
    with pytest.raises(MemoryError):
        watching(shell)
    client = shell.clients[0]
    shell.settle()
    assert client.firsts == client.subscriptions


def test_a_client_waits_for_listings_that_were_lost_and_no_longer(
    shell: Starved,
) -> None:
    shell.disk.makedirs(b"/d/a/b")
    client = shell.view()
    shell.can_list = False
    with pytest.raises(MemoryError):
        client.subscribe(b"/d", Scope.TREE)
    assert not client.firsts
    shell.settle()
    assert client.firsts == client.subscriptions


def test_a_large_tree_is_listed_although_one_directory_could_not_be(
    shell: Starved,
) -> None:
    shell.disk.makedirs(b"/d/a/b")
    shell.disk.makedirs(b"/d/c/d")
    shell.files.failures += [MemoryError(), MemoryError()]
    client = watching(shell)
    shell.settle()
    assert client.firsts == client.subscriptions
    shell.disk.touch(b"/d/a/b/new")
    shell.run_once()
    client.flush()
    assert "created /d/a/b/new" in as_words(client.rows())
