"""Every client ends up with the state of the disk, whatever happens or is lost.

The production core and executor run on a disk in memory. Every example is a list of
steps: what programs do, when the server gets its turn, what happens in the middle of
that, what the kernel loses, which client does not read. At the end there is a moment of
rest, and what every client believes must equal the disk.
"""

import errno
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.config.gaminrc import Method, PathRule
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.proxy import DISTANT_WATCH
from gamin.paths import join
from testkit.actions.in_memory import Act
from testkit.beliefs.strict import StrictBelief, outdated, truth
from testkit.doubles.clients import Client, V1Client
from testkit.doubles.disk import READ, SEARCH, Disk
from testkit.doubles.engine import Shell, plain_policy
from testkit.examples import examples

REST = 12.0
"""Seconds: longer than any pause but that between two rescans."""
MAX_REST = 40.0
"""Seconds: longer than any pause between two rescans."""
MIN_STEPS, MAX_STEPS = 20, 60
CLIENTS = 4


class Sneak(NamedTuple):
    """Something a program does just before one of the next system calls."""

    calls: int
    act: Act


class Wait(NamedTuple):
    seconds: float


class Turn(NamedTuple):
    """The server drains the kernel's queue, and does all that follows."""


class Slice(NamedTuple):
    """The server drains the kernel's queue, and does one slice of what follows."""


class Choke(NamedTuple):
    """The kernel's queue is full: what happens until it is read is lost."""


class Starve(NamedTuple):
    """The next scan finds no descriptor left, or no memory."""

    is_memory: bool


class Stumble(NamedTuple):
    """There is no memory to apply the next changes, or what the next scan found."""


class Read(NamedTuple):
    """A client stops to read, or begins again."""

    client: int
    wanted: bool


class Ask(NamedTuple):
    """Of a view, the first subscription only counts; whole trees only it can have."""

    client: int
    path: bytes
    scope: Scope


class Cancel(NamedTuple):
    client: int
    which: int


Step = (
    Act | Sneak | Wait | Turn | Slice | Choke | Starve | Stumble | Read | Ask | Cancel
)

ROOTS = (b"/w", b"/w", b"/o")
WAYS = (
    *(b"/a", b"/b", b"/c", b"/a/a", b"/a/b", b"/b/c") * 3,
    *(b"/a/c", b"/b/a", b"/b/b", b"/c/a", b"/a/a/a", b"/a/a/c", b"/a/b/c", b""),
)
"""Few, so that what is done meets something; most of them are made by `furnish`."""
PATHS = st.sampled_from([root + way for root in ROOTS for way in WAYS])
TARGETS = PATHS | st.sampled_from([b"a", b"../b", b"b/c", b".."])
ACTS = st.one_of(
    st.builds(
        Act,
        st.sampled_from(
            [
                *("mkdir", "makedirs", "touch", "write", "unlink", "rmdir", "rmtree"),
                *("utime", "modify", "close", "lock", "dim", "unlock", "chmod"),
                *("replace", "write", "write"),
            ]
        ),
        PATHS,
    ),
    st.builds(Act, st.just("rename"), PATHS, PATHS),
    st.builds(
        Act, st.sampled_from(["swap", "recreate", "move and write"]), PATHS, PATHS
    ),
    st.builds(Act, st.sampled_from(["symlink", "link"]), PATHS, TARGETS),
)
NUMBERS = st.integers(0, CLIENTS - 1)
ASKS = st.builds(Ask, NUMBERS, PATHS, st.sampled_from(Scope))
STEPS = st.one_of(
    ACTS,
    ACTS,
    ACTS,
    st.builds(Sneak, st.integers(1, 6), ACTS),
    st.builds(Wait, st.sampled_from([0.01, 0.3, 1.0, 7.0])),
    st.just(Turn()),
    st.just(Slice()),
    st.just(Choke()),
    st.builds(Starve, st.booleans()),
    st.just(Stumble()),
    st.builds(Read, NUMBERS, st.booleans()),
    ASKS,
    st.builds(Cancel, NUMBERS, st.integers(0, 3)),
)


class Without:
    """Rules of a tree that leave out whatever has one name."""

    is_empty = False

    def __init__(self, name: bytes) -> None:
        self._name = name

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        return self._name in path.split(b"/")


class Performance:
    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.shell.is_drained_by_loop = True
        self.clients: list[Client] = [
            self.shell.v1(),
            self.shell.v1(),
            self.shell.view(),
            self.shell.view(),
        ]
        self._ignores = {self.clients[-1]: Without(b"c")}
        self._sneaks: list[tuple[int, Act]] = []
        self.shell.meanwhile = self._meanwhile

    def _meanwhile(self) -> None:
        now = [act for call, act in self._sneaks if call <= self.shell.calls]
        self._sneaks = [s for s in self._sneaks if s[0] > self.shell.calls]
        for act in now:
            act.on(self.shell)

    def do(self, step: Step) -> None:
        shell = self.shell
        match step:
            case Act():
                step.on(shell)
            case Sneak(calls, act):
                self._sneaks.append((shell.calls + calls, act))
            case Wait(seconds):
                shell.sleep(seconds)
            case Turn():
                shell.run_once()
            case Slice():
                shell.drain()
                shell.call(shell.executor.due)
            case Choke():
                shell.kernel.inotify.choke()
            case Starve(is_memory):
                shell.files.failures.append(
                    MemoryError() if is_memory else OSError(errno.EMFILE, "no room")
                )
            case Stumble():
                shell.lacks_memory += 1
            case Read(client, True):
                self.clients[client].read()
            case Read(client, False):
                self.clients[client].reads = False
            case Ask(number, path, scope):
                self._ask(self.clients[number], path, scope)
            case Cancel(number, which):
                asked = self.clients[number].subscriptions
                if which < len(asked):
                    self.clients[number].cancel(asked[which])

    def _ask(self, client: Client, path: bytes, scope: Scope) -> None:
        is_v1 = isinstance(client, V1Client)
        if is_v1 or not client.subscriptions:
            other = Scope.TREE if is_v1 else Scope.FILE
            scope = Scope.DIRECTORY if scope is other else scope
            client.subscribe(path, scope, ignore=self._ignores.get(client))

    def rest(self) -> None:
        """Everybody is done and reads."""
        for _, act in self._sneaks:
            act.on(self.shell)
        self._sneaks.clear()
        self.shell.lacks_memory = 0
        self.unlock(b"/")
        self.shell.sleep(REST)
        end = self.shell.now + MAX_REST
        while self.shell.monitor.recovery.is_unresolved and self.shell.now < end:
            self.shell.sleep(1.0)
        for client in self.clients:
            client.read()

    def unlock(self, path: bytes) -> None:
        """What is known of a directory that may not be read is not fixed."""
        disk = self.shell.disk
        if disk.inode(path).mode & (READ | SEARCH) != READ | SEARCH:
            disk.chmod(path, READ | SEARCH)
        for name, inode in disk.listing(path).items():
            if inode.is_dir:
                self.unlock(join(path, name))

    def subscriptions(self) -> Iterator[tuple[Client, Subscription]]:
        for client in self.clients:
            for subscription in client.subscriptions:
                yield client, subscription


def belief_of(client: Client, subscription: Subscription) -> StrictBelief:
    belief = StrictBelief()
    for index, (reported, row) in enumerate(client.received):
        if reported is subscription:
            found = client.found[index]
            belief.apply(row, found, is_belated=index in client.belated)
    return belief


def check(performance: Performance) -> None:
    """AssertionError where not everything is right at rest."""
    check_beliefs(performance)
    check_tree(performance)
    check_accounts(performance)


def check_beliefs(performance: Performance) -> None:
    for client, subscription in performance.subscriptions():
        disk = performance.shell.disk
        belief = belief_of(client, subscription)
        assert belief.entries() == truth(disk, subscription), subscription
        assert not outdated(disk, subscription, belief), subscription
        assert client.firsts.count(subscription) == 1


def check_tree(performance: Performance) -> None:
    """What is believed is so, and what is wanted is watched, each by one watch."""
    shell = performance.shell
    nodes = list(shell.monitor.tree.root.subtree())
    for node in nodes:
        if node.mask and not node.unreadable:
            assert node.is_watched, node
        if node.wd != DISTANT_WATCH:
            assert shell.kernel.mask(node) & node.kernel_mask == node.kernel_mask, node
            assert (node.wd >= 0) is (node.kernel_mask != 0), node
            assert shell.polling.mask(node) == node.poll_mask, node
            assert (node.wd_poll >= 0) is (node.poll_mask != 0), node
        if node.listed:
            there = {n: i.is_dir for n, i in shell.disk.listing(node.path()).items()}
            assert {n: k is not FILE for n, k in node.names.items()} == there
    watched = {node.wd for node in nodes if node.wd >= 0} - {DISTANT_WATCH}
    assert shell.kernel.watches == len(watched)


def check_accounts(performance: Performance) -> None:
    """When the last request is cancelled, nothing is left."""
    shell = performance.shell
    for client, subscription in list(performance.subscriptions()):
        client.cancel(subscription)
    assert list(shell.monitor.tree.root.subtree()) == [shell.monitor.tree.root]
    assert isinstance(shell.monitor.tree.root, Node)
    assert shell.kernel.watches == shell.polling.watches == 0
    shell.settle()


def furnish(disk: Disk, root: bytes) -> None:
    """Something to act on, so that most of what is done is possible."""
    for folder in (b"/a/a", b"/b"):
        disk.makedirs(root + folder)
    for file in (b"/c", b"/a/b", b"/a/a/c", b"/b/c"):
        disk.touch(root + file)


def perform(steps: Iterable[Step], shell: Shell) -> None:
    """AssertionError where not everything is right in the end."""
    performance = Performance(shell)
    for root in (b"/w", b"/o"):
        furnish(shell.disk, root)
    for step in steps:
        performance.do(step)
    performance.rest()
    check(performance)


SHELLS: dict[str, Callable[[], Shell]] = {
    "the kernel reports everything": Shell,
    "the kernel's events come in small pieces": lambda: Shell(piece=3),
    "the kernel has room for 4 directories": lambda: Shell(room=4),
    "one place is polled": lambda: Shell(
        plain_policy(PathRule(b"/w*", Method.POLL)),
    ),
    "all is polled": lambda: Shell(plain_policy(poll_only=True), has_kernel=False),
}


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=examples(60))
@given(
    before=st.lists(ACTS, max_size=10),
    asks=st.lists(ASKS, min_size=1, max_size=3),
    steps=st.lists(STEPS, min_size=MIN_STEPS, max_size=MAX_STEPS),
)
def test_every_belief_equals_the_disk_at_rest(
    shell: str, before: list[Act], asks: list[Ask], steps: list[Step]
) -> None:
    perform([*before, *asks, *steps], SHELLS[shell]())
