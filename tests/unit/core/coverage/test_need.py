"""What is watched, for what, and by which means."""

import pytest

from gamin.config.gaminrc import FilesystemRule, Method, PathRule
from gamin.core.coverage.need import CONTENT_AND_ATTRIB, FULL, NAMES
from gamin.core.effects import TraceKind
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import said


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


def test_a_directory_is_watched_in_full_and_the_way_to_it_for_names() -> None:
    shell = watched(b"/a/b", Scope.DIRECTORY, b"/a/b/c")
    assert watches(shell) == {b"/": NAMES, b"/a": NAMES, b"/a/b": FULL}


def test_a_tree_is_watched_in_full_everywhere() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b/c", b"/a/d")
    full = (b"/a", b"/a/b", b"/a/b/c", b"/a/d")
    assert watches(shell) == {b"/": NAMES, **dict.fromkeys(full, FULL)}


def test_a_single_path_needs_its_directory_only() -> None:
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


def test_what_only_one_of_two_needs_is_let_go_with_it() -> None:
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
    shell.turn()
    assert len(watches(shell)) == len(before) + 3
    shell.disk.rmtree(b"/a/b")
    shell.turn()
    assert watches(shell) == before
    assert shell.kernel.watches == len(before)


def test_what_is_renamed_out_of_a_tree_is_watched_no_more() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b/c")
    shell.disk.rename(b"/a/b", b"/z")
    shell.turn()
    assert watches(shell) == {b"/": NAMES, b"/a": FULL}
    assert shell.kernel.watches == 2


def test_a_rule_or_a_file_system_decides_who_notices() -> None:
    shell = Shell(
        plain_policy(
            PathRule(b"/slow*", Method.POLL), FilesystemRule("ext4", Method.KERNEL)
        )
    )
    shell.disk.makedirs(b"/slow/box")
    shell.view().subscribe(b"/slow", Scope.TREE)
    box = node_at(shell, b"/slow/box")
    assert (box.kernel_mask, box.poll_mask) == (0, FULL)
    assert box.wd < 0 <= box.wd_poll
    assert shell.polling.intervals == [1.0, 1.0]


def test_without_room_in_the_kernel_directories_are_polled_and_somebody_is_told() -> (
    None
):
    shell = Shell(room=2)
    shell.disk.makedirs(b"/a/b")
    client = shell.view()
    client.subscribe(b"/a", Scope.TREE)
    assert shell.kernel.watches == 2
    assert shell.polling.watches == 1
    assert [note.what for note in shell.notes] == [TraceKind.NO_ROOM]
    shell.disk.touch(b"/a/b/f")
    client.rows()
    shell.sleep(1)
    assert said(client.rows()) == ["created /a/b/f"]


def test_polled_directories_return_to_the_kernel_when_there_is_room_again() -> None:
    shell = Shell(room=1)
    shell.disk.makedirs(b"/a/b")
    client = shell.view()
    client.subscribe(b"/a", Scope.TREE)
    client.rows()
    shell.kernel.limit = 10
    shell.disk.touch(b"/a/b/f")
    shell.monitor.coverage.room_again(10)
    shell.do(shell.monitor.changed([], shell.now))
    shell.turn()
    assert shell.polling.watches == 0
    assert shell.kernel.watches == 3
    assert said(client.rows()) == ["created /a/b/f"]


@pytest.mark.parametrize(
    ("names", "kernel", "poll"),
    [
        pytest.param(
            False, FULL & ~CONTENT_AND_ATTRIB, CONTENT_AND_ATTRIB, id="a hammered file"
        ),
        pytest.param(True, 0, FULL, id="a hammered directory"),
    ],
)
def test_what_is_hot_is_polled_and_returns_when_it_cooled_down(
    names: bool, kernel: int, poll: int
) -> None:
    shell = watched(b"/a", Scope.DIRECTORY, b"/a")
    coverage, node = shell.monitor.coverage, node_at(shell, b"/a")
    hot = coverage.polled_for_churn if names else coverage.polled_for_writes
    (coverage.poll_only if names else coverage.poll_content)(node)
    shell.do(shell.monitor.changed([], shell.now))
    assert (node.kernel_mask, node.poll_mask) == (kernel, poll)
    coverage.set_polling(node, hot, False)
    shell.do(shell.monitor.changed([], shell.now))
    assert (node.kernel_mask, node.poll_mask, node.wd_poll) == (FULL, 0, -1)
    assert [note.what for note in shell.notes] == [
        TraceKind.FLOW_ON,
        TraceKind.FLOW_OFF,
    ]


def test_nothing_is_lost_when_polling_takes_over_or_hands_back() -> None:
    shell = watched(b"/a", Scope.DIRECTORY, b"/a")
    client, coverage = shell.clients[0], shell.monitor.coverage
    node = node_at(shell, b"/a")
    client.rows()
    shell.disk.touch(b"/a/before")
    coverage.poll_only(node)
    shell.do(shell.monitor.changed([], shell.now))
    shell.disk.touch(b"/a/between")
    coverage.set_polling(node, coverage.polled_for_churn, False)
    shell.do(shell.monitor.changed([], shell.now))
    shell.disk.touch(b"/a/after")
    shell.turn()
    names = (b"before", b"between", b"after")
    assert said(client.rows()) == [f"created /a/{name.decode()}" for name in names]


def test_a_directory_that_may_not_be_read_is_there_and_is_told_when_it_may() -> None:
    shell = Shell()
    shell.disk.makedirs(b"/a/dark/deep")
    shell.disk.chmod(b"/a/dark", 0o000)
    client = shell.view()
    client.subscribe(b"/a", Scope.TREE)
    assert said(client.rows())[-1] == "exists /a/dark/"
    shell.disk.chmod(b"/a/dark", 0o755)
    shell.settle()
    assert said(client.rows()) == ["created /a/dark/deep/", "changed /a/dark/"]


def test_new_rules_are_followed_at_once() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b")
    shell.change_policy(plain_policy(PathRule(b"/a*", Method.POLL)))
    assert shell.polling.watches == 2
    assert shell.kernel.watches == 1
    shell.change_policy(plain_policy())
    assert shell.polling.watches == 0
    assert shell.kernel.watches == 3


def test_the_longest_interval_is_of_what_is_really_polled() -> None:
    slow = FilesystemRule("ext4", Method.POLL, 5)
    shell = Shell(plain_policy(slow, PathRule(b"/k*", Method.KERNEL)))
    for folder in (b"/k", b"/d"):
        shell.disk.mkdir(folder)
    shell.view().subscribe(b"/k", Scope.TREE)
    before = shell.monitor.longest_delay
    shell.view().subscribe(b"/d", Scope.TREE)
    assert (before, shell.monitor.longest_delay) == (1, 6)
