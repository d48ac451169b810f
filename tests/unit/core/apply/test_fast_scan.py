"""The first scans of a tree, of which nothing is reported."""

import pytest

from gamin.core.effects import Listing, Ready, Scan
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.events import CREATE, Change
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words

NOW = 10.0


@pytest.fixture
def monitor() -> Monitor:
    return Monitor(plain_policy())


def begun(monitor: Monitor, scope: Scope, number: int = 1) -> tuple[Scan, Node]:
    """A subscription on /, and the listing that it waits for."""
    effects = monitor.subscribe(Subscription(1, number, b"/", scope), NOW)
    explore = next(effect for effect in effects if isinstance(effect, Scan))
    return explore, monitor.tree.root


def test_a_directory_with_files_only_stays_packed(monitor: Monitor) -> None:
    explore, root = begun(monitor, Scope.TREE)
    monitor.listed([(explore, [], [b"f", b"g"], ())], NOW)
    assert root.packed == b"f/g"
    assert root.listed


def test_a_subdirectory_has_a_node_only_where_a_tree_covers_it(
    monitor: Monitor,
) -> None:
    explore, root = begun(monitor, Scope.DIRECTORY)
    (ready,) = monitor.listed([(explore, [b"d"], [b"f"], ())], NOW)
    assert isinstance(ready, Ready)
    assert root.names == {b"f": FILE, b"d": SUBDIR}


def test_many_listings_are_applied_in_one_operation(monitor: Monitor) -> None:
    explore, root = begun(monitor, Scope.TREE)
    below = monitor.listed([(explore, [b"a", b"b"], [], ())], NOW)
    assert all(
        isinstance(effect, Scan) and effect.is_first_kernel_scan for effect in below
    )
    tick = monitor.tree.tick
    listings: list[Listing] = [
        (e, [], [b"f"], ()) for e in below if isinstance(e, Scan)
    ]
    (ready,) = monitor.listed(listings, NOW)
    assert isinstance(ready, Ready)
    assert monitor.tree.tick == tick + 1
    assert [node.packed for node in root.children()] == [b"f", b"f"]


def test_a_name_that_was_created_before_the_listing_is_known_once(
    monitor: Monitor,
) -> None:
    explore, root = begun(monitor, Scope.TREE)
    monitor.changed([Change(root, CREATE, 0, b"f")], NOW)
    monitor.listed([(explore, [], [b"f", b"g"], ())], NOW)
    assert root.names == {b"f": FILE, b"g": FILE}
    assert monitor.changed([Change(root, CREATE, 0, b"g")], NOW) == []


def test_a_second_listing_in_the_same_batch_is_compared_with_the_first(
    monitor: Monitor,
) -> None:
    first, root = begun(monitor, Scope.TREE)
    second, _ = begun(monitor, Scope.TREE, 2)
    readies = monitor.listed(
        [(first, [], [b"f"], ()), (second, [], [b"f", b"g"], ())], NOW
    )
    assert [type(effect) for effect in readies if isinstance(effect, Ready)] == [
        Ready,
        Ready,
    ]
    assert root.names == {b"f": FILE, b"g": FILE}


def test_a_change_during_the_first_scans_is_in_the_first_listing() -> None:
    shell = Shell()
    for number in range(20):
        shell.disk.makedirs(b"/t/d%d/e" % number)
    numbers = iter(range(1000))

    def meanwhile() -> None:
        number = next(numbers)
        if number < 40:
            shell.disk.makedirs(b"/t/d%d/e/new%d" % (number % 20, number))

    shell.meanwhile = meanwhile
    view = shell.view()
    view.subscribe(b"/t", Scope.TREE)
    shell.run_once()
    there = [row for row in as_words(view.rows()) if "new" in row]
    assert len(there) == 40
