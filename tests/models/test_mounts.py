"""Every client ends up with the state of the disk, whatever distant mounts do.

As in `test_model`, but directories are on mounts that answer when they like: late, in
any order among each other, with errors, or not before something else has happened. A
mount may also go, and leave its directories to the kernel of this machine.
"""

from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.model.subscription import Scope
from testkit.actions.in_memory import Act
from testkit.doubles.engine import Shell
from testkit.examples import examples
from tests.models import test_model as model
from tests.models.test_model import (
    ASKS,
    NUMBERS,
    PATHS,
    Ask,
    Cancel,
    Performance,
    Read,
    Sneak,
    Stumble,
    Turn,
    Wait,
    check,
    furnish,
)

LOCAL = Mount(b"/", "ext4", id=b"1")
NET = Mount(b"/w", "nfs", id=b"2", parent=b"1")
FAR = Mount(b"/o", "nfs", id=b"3", parent=b"1")
MOUNTS = (NET, FAR)
LONG_CALL = 3.0
"""Seconds of a system call that make its mount suspect."""
POLLS = 8
"""Rounds of polling at rest."""


class Work(NamedTuple):
    """The thread of a mount has its turn. Its answers are not applied yet."""

    mount: Mount


class Collect(NamedTuple):
    """The server collects the answers, and applies some."""


class Mute(NamedTuple):
    """A mount does not answer, or answers again."""

    mount: Mount
    is_silent: bool


class Break(NamedTuple):
    """A mount answers everything with an error, or works again."""

    mount: Mount
    is_broken: bool


class Slow(NamedTuple):
    """One of the next system calls takes long."""

    calls: int


class Remount(NamedTuple):
    """These are the distant mounts from now on; the rest is local."""

    mounts: tuple[Mount, ...]


Step = model.Step | Work | Collect | Mute | Break | Slow | Remount

ACTS = st.one_of(
    st.builds(
        Act,
        st.sampled_from(
            [
                *("mkdir", "makedirs", "touch", "write", "unlink", "rmdir", "rmtree"),
                *("utime", "modify", "chmod", "replace", "write"),
            ]
        ),
        PATHS,
    ),
    st.builds(Act, st.just("rename"), PATHS, PATHS),
    st.builds(Act, st.sampled_from(["swap", "recreate"]), PATHS, PATHS),
    st.builds(Act, st.just("symlink"), PATHS, PATHS),
)
EACH = st.sampled_from(MOUNTS)
STEPS: st.SearchStrategy[Step] = st.one_of(
    ACTS,
    ACTS,
    st.builds(Sneak, st.integers(1, 6), ACTS),
    st.builds(Slow, st.integers(1, 6)),
    st.just(Stumble()),
    st.builds(Wait, st.sampled_from([0.01, 1.0, 7.0])),
    st.just(Turn()),
    st.builds(Work, EACH),
    st.builds(Work, EACH),
    st.just(Collect()),
    st.builds(Mute, EACH, st.booleans()),
    st.builds(Break, EACH, st.booleans()),
    st.builds(Remount, st.sampled_from([MOUNTS, (NET,), (FAR,), ()])),
    st.builds(Read, NUMBERS, st.booleans()),
    ASKS,
    st.builds(Cancel, NUMBERS, st.integers(0, 3)),
)


def policy_of(mounts: Iterable[Mount]) -> Policy:
    return Policy((), Mounts([LOCAL, *mounts]))


class MountedPerformance(Performance):
    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._slow_at: list[int] = []

    def _meanwhile(self) -> None:
        super()._meanwhile()
        due = [call for call in self._slow_at if call <= self.shell.calls]
        if due:
            self._slow_at = [call for call in self._slow_at if call not in due]
            self.shell.now += LONG_CALL

    def play(self, step: Step) -> None:
        shell, threads = self.shell, self.shell.threads
        match step:
            case Work(mount):
                threads.turn(mount)
            case Collect():
                shell.answered()
            case Mute(mount, is_silent):
                (threads.silent.add if is_silent else threads.silent.discard)(
                    mount.point
                )
            case Break(mount, is_broken):
                (threads.broken.add if is_broken else threads.broken.discard)(
                    mount.point
                )
            case Slow(calls):
                self._slow_at.append(shell.calls + calls)
            case Remount(mounts):
                shell.change_policy(policy_of(mounts))
            case _:
                self.do(step)

    def rest(self) -> None:
        """All mounts answer, and everything is polled several times."""
        threads = self.shell.threads
        threads.silent.clear()
        threads.broken.clear()
        super().rest()
        for _ in range(POLLS):
            self.shell.answer()
            self.shell.sleep(model.MAX_REST / POLLS)
        self.shell.answer()
        for client in self.clients:
            client.read()


def perform(steps: Iterable[Step]) -> None:
    """AssertionError where not everything is right in the end."""
    performance = MountedPerformance(Shell(policy_of(MOUNTS)))
    for root in (b"/w", b"/o"):
        furnish(performance.shell.disk, root)
    for step in steps:
        performance.play(step)
    performance.rest()
    check(performance)
    performance.shell.answer()
    assert not performance.shell.threads.executors


@settings(max_examples=examples(100))
@given(
    asks=st.lists(ASKS, min_size=1, max_size=3),
    steps=st.lists(STEPS, min_size=20, max_size=60),
)
def test_every_belief_equals_the_disk_when_all_mounts_have_answered(
    asks: list[Ask], steps: list[Step]
) -> None:
    perform([*asks, *steps])


WRITE = Act("modify", b"/w/a/a/c")
SEEN = (Wait(7.0), Work(NET), Collect(), Work(NET), Collect())
"""The thread has listed what was asked for, and polled it."""


@pytest.mark.parametrize("mounts", [(FAR,), (NET._replace(id=b"9"), FAR)])
@pytest.mark.parametrize("scope", [Scope.DIRECTORY, Scope.TREE])
def test_what_is_written_just_before_or_after_a_mount_changes_is_reported(
    scope: Scope, mounts: tuple[Mount, ...]
) -> None:
    ask = Ask(0 if scope is Scope.DIRECTORY else 2, b"/w/a/a", scope)
    perform([ask, *SEEN, WRITE, Remount(mounts)])
    perform([ask, *SEEN, Remount(mounts), WRITE])
    perform([ask, Remount(mounts), Remount(MOUNTS), WRITE])
