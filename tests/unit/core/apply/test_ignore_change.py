"""Ignore rules that change while a tree is watched."""

import pytest

from gamin.core.model.subscription import Scope, Subscription
from gamin.patterns.ignore_rules import IgnoreRules
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell
from testkit.words import as_words


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    shell.disk.makedirs(b"/t/build/deep")
    shell.disk.touch(b"/t/build/out")
    shell.disk.touch(b"/t/log")
    return shell


@pytest.fixture
def client(shell: Shell) -> Client:
    client = shell.view()
    client.subscribe(b"/t", Scope.TREE, ignore=IgnoreRules(vcs=True))
    client.rows()
    return client


def change(
    shell: Shell, client: Client, text: bytes | None, directory: bytes = b""
) -> list[str]:
    """The rows after a .gitignore file of the tree got another text."""
    (subscription,) = client.subscriptions
    monitor = shell.monitor
    shell.do(
        monitor.rules_changed(subscription, directory, b".gitignore", text, shell.now)
    )
    shell.settle()
    return as_words(client.rows())


def watched(shell: Shell) -> set[bytes]:
    return {node.path() for node in shell.monitor.tree.root.subtree() if node.mask}


def test_what_is_ignored_from_now_on_is_deleted_and_no_longer_watched(
    shell: Shell, client: Client
) -> None:
    rows = change(shell, client, b"build/\nlog\n")
    assert set(rows) == {
        "deleted /t/build/deep/",
        "deleted /t/build/out",
        "deleted /t/build/",
        "deleted /t/log",
    }
    assert rows.index("deleted /t/build/") > rows.index("deleted /t/build/out")
    assert watched(shell) == {b"/", b"/t"}


@pytest.mark.parametrize(("text", "is_known"), [(b"log\n", False), (b"other\n", True)])
def test_a_clock_from_before_the_rules_hid_or_showed_something_is_of_no_use(
    text: bytes, is_known: bool, shell: Shell, client: Client
) -> None:
    """The ticks of entries say what changed, and these did not change."""
    (subscription,) = client.subscriptions
    before = shell.monitor.tree.tick
    change(shell, client, text)
    after = shell.monitor.tree.tick
    assert (shell.rows_since(subscription, before) is not None) is is_known
    assert shell.rows_since(subscription, after) == []
    before = shell.monitor.tree.tick
    change(shell, client, None)
    assert (shell.rows_since(subscription, before) is not None) is is_known


def test_what_is_no_longer_ignored_is_created_and_watched(
    shell: Shell, client: Client
) -> None:
    change(shell, client, b"build/\n")
    rows = change(shell, client, None)
    assert rows[0] == "created /t/build/"
    assert set(rows[1:]) == {"created /t/build/deep/", "created /t/build/out"}
    assert b"/t/build/deep" in watched(shell)


def test_no_difference_is_known_from_before_the_rules_changed(
    shell: Shell, client: Client
) -> None:
    (subscription,) = client.subscriptions
    before = shell.monitor.tree.tick
    change(shell, client, b"build/\n")
    now = shell.monitor.tree.tick
    assert shell.rows_since(subscription, before) is None
    assert shell.rows_since(subscription, now) == []
    change(shell, client, None)
    assert shell.rows_since(subscription, now) is None


def test_what_was_deleted_before_the_rules_hide_it_is_no_known_difference(
    shell: Shell, client: Client
) -> None:
    (subscription,) = client.subscriptions
    before = shell.monitor.tree.tick
    shell.disk.unlink(b"/t/log")
    shell.settle()
    change(shell, client, b"log\n")
    assert shell.rows_since(subscription, before) is None


def test_a_text_that_is_known_already_changes_nothing(
    shell: Shell, client: Client
) -> None:
    change(shell, client, b"log\n")
    assert change(shell, client, b"log\n") == []


def test_rules_in_a_directory_that_is_ignored_change_nothing(
    shell: Shell, client: Client
) -> None:
    change(shell, client, b"build/\n")
    assert change(shell, client, b"*\n", b"build") == []


def test_a_subscription_without_rule_files_is_left_alone(shell: Shell) -> None:
    client = shell.view()
    client.subscribe(b"/t", Scope.TREE)
    client.rows()
    assert change(shell, client, b"*\n") == []


def test_visible_are_the_paths_that_the_rules_let_through(shell: Shell) -> None:
    client = shell.view()
    rules = IgnoreRules(vcs=True)
    rules.load(b"", b".gitignore", b"out\n")
    subscription: Subscription = client.subscribe(b"/t", Scope.TREE, ignore=rules)
    node = shell.monitor.tree.find(b"/t")
    assert node is not None
    visible = shell.monitor._changes.ignore_changes.visible(subscription, node)
    assert visible == {b"build": True, b"build/deep": True, b"log": False}
