"""Whether the kernel or polling watches a directory."""

import pytest

from gamin.config.gaminrc import FilesystemRule, Method, PathRule
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Decision, Policy
from gamin.core.coverage.method import CONTENT_AND_ATTRIB, FULL
from gamin.core.effects import TraceKind
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from testkit.doubles.engine import Shell, plain_policy
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


def test_a_rule_decides_between_the_kernel_and_polling() -> None:
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


def test_directories_beyond_the_quota_are_polled_and_one_trace_says_so() -> None:
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
    assert as_words(client.rows()) == ["created /a/b/f"]


def test_directories_beyond_the_quota_return_to_the_kernel_when_it_has_room() -> None:
    shell = Shell(room=1)
    shell.disk.makedirs(b"/a/b")
    client = shell.view()
    client.subscribe(b"/a", Scope.TREE)
    client.rows()
    shell.kernel.limit = 10
    shell.disk.touch(b"/a/b/f")
    shell.monitor.coverage.method.retry_quota(10)
    shell.do(shell.monitor.changed([], shell.now))
    shell.run_once()
    assert shell.polling.watches == 0
    assert shell.kernel.watches == 3
    assert as_words(client.rows()) == ["created /a/b/f"]


@pytest.mark.parametrize(
    ("names", "kernel", "poll"),
    [
        pytest.param(
            False,
            FULL & ~CONTENT_AND_ATTRIB,
            CONTENT_AND_ATTRIB,
            id="constantly written file",
        ),
        pytest.param(True, 0, FULL, id="churn in a directory"),
    ],
)
def test_a_hot_directory_is_polled_until_it_has_calmed_down(
    names: bool, kernel: int, poll: int
) -> None:
    shell = watched(b"/a", Scope.DIRECTORY, b"/a")
    method, node = shell.monitor.coverage.method, node_at(shell, b"/a")
    (method.poll_for_churn if names else method.poll_for_writes)(node)
    shell.do(shell.monitor.changed([], shell.now))
    assert (node.kernel_mask, node.poll_mask) == (kernel, poll)
    (method.churn_calmed if names else method.writes_calmed)(node)
    shell.do(shell.monitor.changed([], shell.now))
    assert (node.kernel_mask, node.poll_mask, node.wd_poll) == (FULL, 0, -1)
    assert [note.what for note in shell.notes] == [
        TraceKind.FLOW_ON,
        TraceKind.FLOW_OFF,
    ]


def test_no_change_is_lost_in_a_handover_to_polling() -> None:
    shell = watched(b"/a", Scope.DIRECTORY, b"/a")
    client, method = shell.clients[0], shell.monitor.coverage.method
    node = node_at(shell, b"/a")
    client.rows()
    shell.disk.touch(b"/a/before")
    method.poll_for_churn(node)
    shell.do(shell.monitor.changed([], shell.now))
    shell.disk.touch(b"/a/between")
    method.churn_calmed(node)
    shell.do(shell.monitor.changed([], shell.now))
    shell.disk.touch(b"/a/after")
    shell.run_once()
    names = (b"before", b"between", b"after")
    assert as_words(client.rows()) == [f"created /a/{name.decode()}" for name in names]


def test_new_rules_apply_at_once() -> None:
    shell = watched(b"/a", Scope.TREE, b"/a/b")
    shell.change_policy(plain_policy(PathRule(b"/a*", Method.POLL)))
    assert shell.polling.watches == 2
    assert shell.kernel.watches == 1
    shell.change_policy(plain_policy())
    assert shell.polling.watches == 0
    assert shell.kernel.watches == 3


def test_the_longest_interval_is_that_of_what_is_really_polled() -> None:
    slow = FilesystemRule("ext4", Method.POLL, 5)
    shell = Shell(plain_policy(slow, PathRule(b"/k*", Method.KERNEL)))
    for folder in (b"/k", b"/d"):
        shell.disk.mkdir(folder)
    shell.view().subscribe(b"/k", Scope.TREE)
    before = shell.monitor.longest_delay
    shell.view().subscribe(b"/d", Scope.TREE)
    assert (before, shell.monitor.longest_delay) == (1, 6)


def test_polling_that_is_late_makes_the_delay_longer() -> None:
    shell = Shell(plain_policy(poll_only=True), has_kernel=False)
    shell.disk.mkdir(b"/d")
    shell.view().subscribe(b"/d", Scope.TREE)
    shell.sleep(5)
    assert shell.monitor.longest_undetected == 1
    shell.now = 1013.5  # and nothing could be done meanwhile
    assert shell.monitor.longest_undetected == 8.5
    shell.run_once()
    assert shell.monitor.longest_undetected == 1


def test_a_renamed_directory_is_watched_as_its_new_path_wants_it() -> None:
    shell = Shell(plain_policy(PathRule(b"/a/slow*", Method.POLL)))
    for number in range(20):
        shell.disk.makedirs(b"/a/quick/%d" % number)
    shell.view().subscribe(b"/a", Scope.TREE)
    quick = node_at(shell, b"/a/quick")
    assert quick.kernel_mask == FULL
    shell.disk.rename(b"/a/quick", b"/a/slow")
    shell.run_once()
    assert node_at(shell, b"/a/slow") is quick
    assert {node.poll_mask for node in quick.subtree()} == {FULL}
    assert {node.kernel_mask for node in quick.subtree()} == {0}


class Counting(Policy):
    """A policy that knows which paths it was asked for."""

    def __init__(self, *mounts: Mount) -> None:
        super().__init__((), Mounts([Mount(b"/", "ext4"), *mounts]))
        self.asked: list[bytes] = []

    def decide(self, path: bytes, real: bytes | None = None) -> Decision:
        self.asked.append(path)
        return super().decide(path, real)


def test_a_new_mount_does_not_concern_what_is_far_from_it() -> None:
    shell = Shell()
    for number in range(20):
        shell.disk.makedirs(b"/a/%d/deep" % number)
    shell.disk.makedirs(b"/b/mount")
    shell.view().subscribe(b"/", Scope.TREE)
    policy = Counting(Mount(b"/b/mount", "tmpfs"))
    shell.do(shell.monitor.policy_changed(policy, shell.now))
    assert b"/a" in policy.asked
    assert not [path for path in policy.asked if path.startswith(b"/a/")]


@pytest.mark.parametrize("rule", [b"/quick*", b"/slow*", b"/*/a*", b"/slow/a/b"])
def test_changed_rules_reach_every_directory_that_they_concern(rule: bytes) -> None:
    shell = Shell(plain_policy(PathRule(b"/slow*", Method.POLL)))
    for path in (b"/slow/a/b", b"/quick/a/b", b"/other/c"):
        shell.disk.makedirs(path)
    shell.view().subscribe(b"/", Scope.TREE)
    policy = plain_policy(PathRule(rule, Method.POLL))
    shell.do(shell.monitor.policy_changed(policy, shell.now))
    for node in shell.monitor.tree.root.subtree():
        is_polled = policy.decide(node.path()).method is Method.POLL
        assert bool(node.poll_mask) is is_polled, node
        assert bool(node.kernel_mask) is not is_polled, node


def test_a_mount_of_another_type_is_polled_as_that_wants_it() -> None:
    rule = PathRule(b"/far*", Method.POLL)
    shell = Shell(plain_policy(rule))
    shell.disk.makedirs(b"/far/a/b")
    shell.view().subscribe(b"/far/a/b/c", Scope.FILE)
    leads = node_at(shell, b"/far/a")
    assert not leads.poll_mask
    mounts = Mounts([Mount(b"/", "ext4"), Mount(b"/far", "tracefs", id=b"2")])
    shell.do(shell.monitor.policy_changed(Policy([rule], mounts), shell.now))
    assert leads.poll_mask
