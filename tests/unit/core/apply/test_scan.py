"""The first scan of a directory, and every later one."""

import pytest

from gamin.core.effects import Ready, Scan
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/d/sub/deep")
    shell.disk.touch(b"/d/f")
    return shell


def tree(shell: Shell, path: bytes) -> Client:
    view = shell.view()
    view.subscribe(path, Scope.TREE)
    return view


def list_again(shell: Shell, path: bytes) -> None:
    node = shell.monitor.tree.root
    for name in filter(None, path.split(b"/")):
        child = node.child(name)
        assert child is not None
        node = child
    shell.do([Scan(node, None)])
    shell.run_once()


def test_the_first_scan_is_reported_in_the_first_listing_only(
    shell: Shell,
) -> None:
    assert as_words(tree(shell, b"/d").rows()) == [
        "deleted it/",  # from scratch
        "exists it/",
        "exists /d/f",
        "exists /d/sub/",
        "exists /d/sub/deep/",
    ]


def test_a_subscription_is_ready_when_all_of_its_tree_is_listed(shell: Shell) -> None:
    monitor = shell.monitor
    subscription = Subscription(0, 1, b"/d", Scope.TREE)
    shell.view()
    effects = monitor.subscribe(subscription, shell.now)
    assert not any(isinstance(effect, Ready) for effect in effects)
    shell.do(effects)
    assert not subscription.ready
    shell.run_once()
    assert subscription.ready
    assert subscription.progress.pending_scans == 0


def test_a_later_scan_reports_what_the_backends_missed(shell: Shell) -> None:
    client = tree(shell, b"/d")
    client.rows()
    shell.disk.touch(b"/d/new")
    shell.disk.unlink(b"/d/f")
    shell.kernel.inotify.read()  # the events are lost
    list_again(shell, b"/d")
    assert as_words(client.rows()) == ["deleted /d/f", "created /d/new"]


def test_an_entry_of_another_type_is_deleted_and_created(shell: Shell) -> None:
    client = tree(shell, b"/d")
    client.rows()
    shell.disk.rmtree(b"/d/sub")
    shell.disk.touch(b"/d/sub")
    shell.kernel.inotify.read()
    list_again(shell, b"/d")
    assert as_words(client.rows()) == [
        "deleted /d/sub/deep/",
        "deleted /d/sub/",
        "created /d/sub",
    ]


def test_a_scan_without_a_difference_reports_nothing(shell: Shell) -> None:
    client = tree(shell, b"/d")
    client.rows()
    list_again(shell, b"/d")
    list_again(shell, b"/d/sub")
    assert client.rows() == []


def test_new_directories_are_scanned_once_each(shell: Shell) -> None:
    client = tree(shell, b"/d")
    client.rows()
    calls = shell.calls
    shell.disk.makedirs(b"/d" + b"/n" * 100)
    shell.run_once()
    assert len(client.rows()) == 100
    assert shell.calls - calls <= 202  # to watch and to list


def test_a_tree_covers_directories_that_were_listed_for_others(shell: Shell) -> None:
    inner = shell.v1()
    inner.subscribe(b"/d/sub", Scope.DIRECTORY)
    shell.disk.makedirs(b"/d/sub/deep/down")
    shell.run_once()
    reported = as_words(tree(shell, b"/d").rows())
    assert "exists /d/sub/deep/" in reported
    assert "exists /d/sub/deep/down/" in reported
    assert len(reported) == len(set(reported)) == 6


def test_a_new_tree_is_reported_where_others_wait_for_paths_in_it(shell: Shell) -> None:
    outer = shell.view()
    outer.subscribe(b"/new", Scope.TREE)
    inner = shell.v1()
    inner.subscribe(b"/new/a/b", Scope.DIRECTORY)
    outer.rows()
    inner.rows()
    shell.disk.makedirs(b"/new/a/b/c")
    shell.run_once()
    assert as_words(outer.rows()) == [
        "created it/",
        "created /new/a/",
        "created /new/a/b/",
        "created /new/a/b/c/",
    ]
    assert as_words(inner.rows()) == ["created it/", "created /new/a/b/c/"]


def test_ignored_directories_are_neither_listed_nor_watched(shell: Shell) -> None:
    class Without:
        is_empty = False

        def ignored(self, path: bytes, is_dir: bool) -> bool:
            return path == b"sub"

    view = shell.view()
    view.subscribe(b"/d", Scope.TREE, ignore=Without())
    assert as_words(view.rows())[2:] == ["exists /d/f", "exists /d/sub/"]
    assert shell.kernel.watches == 2
    shell.disk.touch(b"/d/sub/f")
    shell.run_once()
    assert view.rows() == []


def test_a_scan_that_nobody_needs_any_more_is_skipped(shell: Shell) -> None:
    monitor = shell.monitor
    subscription = Subscription(0, 1, b"/d", Scope.TREE)
    client = shell.view()
    effects = monitor.subscribe(subscription, shell.now)
    shell.do(effects)
    shell.do(monitor.cancel(subscription, shell.now))
    calls = shell.calls
    shell.run_once()
    assert shell.calls == calls
    assert not subscription.ready
    assert client.firsts == []
    assert isinstance(monitor.tree.root, Node)
    assert not any(monitor.tree.root.children())
