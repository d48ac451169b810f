"""Which directories are watched, and for what."""

from gamin.core.coverage.method import FULL, NAMES
from gamin.core.coverage.need import RELEASE_BATCH
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.ports import AT_ONCE
from testkit.doubles.engine import Shell
from testkit.words import as_words


def node_at(shell: Shell, path: bytes) -> Node:
    node = shell.monitor.tree.root
    for name in filter(None, path.split(b"/")):
        child = node.child(name)
        assert child is not None, path
        node = child
    return node


def watches(shell: Shell) -> dict[bytes, int]:
    nodes = shell.monitor.tree.root.subtree()
    return {node.path(): node.mask for node in nodes if node.mask}


def watched(path: bytes, scope: Scope, *directories: bytes) -> Shell:
    shell = Shell()
    for directory in directories:
        shell.disk.makedirs(directory)
    shell.view().subscribe(path, scope)
    return shell


def test_a_directory_is_watched_in_full_and_its_ancestors_for_names() -> None:
    shell = watched(b"/a/b", Scope.DIRECTORY, b"/a/b/c")
    assert watches(shell) == {b"/": NAMES, b"/a": NAMES, b"/a/b": FULL}


def test_a_tree_is_watched_in_full_everywhere() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b/c", b"/a/d")
    full = (b"/a", b"/a/b", b"/a/b/c", b"/a/d")
    assert watches(shell) == {b"/": NAMES, **dict.fromkeys(full, FULL)}


def test_a_single_path_needs_only_its_directory() -> None:
    shell = Shell()
    shell.disk.makedirs(b"/a")
    shell.disk.touch(b"/a/f")
    shell.v1().subscribe(b"/a/f", Scope.FILE)
    assert watches(shell) == {b"/": NAMES, b"/a": FULL}
    assert not node_at(shell, b"/a").listed


def test_a_second_subscription_on_a_watched_tree_costs_nothing() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b/c", b"/a/d")
    before, calls = watches(shell), shell.calls
    other = shell.view()
    other.subscribe(b"/a", Scope.TREE)
    assert len(other.rows()) == 5
    assert watches(shell) == before
    assert shell.calls == calls


def test_cancelling_releases_what_only_that_subscription_needs() -> None:
    shell = watched(b"/a/b", Scope.DIRECTORY, b"/a/b/c")
    before = watches(shell)
    tree = shell.view()
    tree.cancel(tree.subscribe(b"/a", Scope.TREE))
    assert watches(shell) == before
    assert shell.kernel.watches == len(before)


def test_a_tree_grows_with_its_directories_and_shrinks_with_them() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a")
    before = watches(shell)
    shell.disk.makedirs(b"/a/b/c/d")
    shell.run_once()
    assert len(watches(shell)) == len(before) + 3
    shell.disk.rmtree(b"/a/b")
    shell.run_once()
    assert watches(shell) == before
    assert shell.kernel.watches == len(before)


def test_a_directory_renamed_out_of_a_tree_is_no_longer_watched() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b/c")
    shell.disk.rename(b"/a/b", b"/z")
    shell.run_once()
    assert watches(shell) == {b"/": NAMES, b"/a": FULL}
    assert shell.kernel.watches == 2


def test_an_unreadable_directory_is_reported_in_full_when_it_becomes_readable() -> None:
    shell = Shell()
    shell.disk.makedirs(b"/a/dark/deep")
    shell.disk.chmod(b"/a/dark", 0o000)
    client = shell.view()
    client.subscribe(b"/a", Scope.TREE)
    assert as_words(client.rows())[-1] == "exists /a/dark/"
    shell.disk.chmod(b"/a/dark", 0o755)
    shell.settle()
    assert as_words(client.rows()) == ["created /a/dark/deep/", "changed /a/dark/"]


def large_tree() -> Shell:
    return watched(b"/a", Scope.TREE, *(b"/a/%d" % n for n in range(3 * RELEASE_BATCH)))


def test_a_second_subscription_covers_a_large_watched_tree_in_parts() -> None:
    shell = large_tree()
    before, view = watches(shell), shell.view()
    subscription = Subscription(view.number, 1, b"/a", Scope.TREE)
    view.subscriptions.append(subscription)
    shell.do(shell.monitor.subscribe(subscription, shell.now))
    assert shell.executor.is_crawling
    assert not subscription.ready
    shell.disk.mkdir(b"/a/new")
    shell.disk.rmdir(b"/a/7")
    shell.run_once()
    assert subscription.ready
    names = {row.path for row in shell.monitor.listing(subscription)}
    assert names == before.keys() - {b"/", b"/a", b"/a/7"} | {b"/a/new"}


def test_a_subscription_that_ends_while_it_covers_a_tree_leaves_nothing() -> None:
    shell = large_tree()
    before, view = watches(shell), shell.view()
    subscription = Subscription(view.number, 1, b"/a", Scope.TREE)
    shell.do(shell.monitor.subscribe(subscription, shell.now))
    shell.do(shell.monitor.cancel(subscription, shell.now))
    shell.run_once()
    assert watches(shell) == before
    assert not shell.executor.is_crawling


def test_a_large_tree_is_released_in_parts() -> None:
    shell = large_tree()
    [subscription] = shell.monitor.subscriptions
    shell.do(shell.monitor.cancel(subscription, shell.now))
    assert len(watches(shell)) > RELEASE_BATCH
    assert shell.executor.deadline() == AT_ONCE
    shell.run_once()
    assert watches(shell) == {}
    assert shell.monitor.deadline() is None
