"""Whatever another program does between two system calls of the executor is not lost.

No chance is involved: each scenario is played once for every system call that it makes
and every act, and the act is done just before that call. What the executor relies on,
such as watching a directory before it lists it, has no other place to fail.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import NamedTuple

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import Method, PathRule
from gamin.config.policy import Policy
from gamin.core.model.subscription import Scope
from testkit.actions.in_memory import Act
from testkit.doubles.engine import NoMemory, Shell, plain_policy
from tests.models.test_model import (
    Ask,
    Cancel,
    Choke,
    Performance,
    Step,
    Turn,
    Wait,
    check,
    furnish,
)

POLLED = plain_policy(PathRule(b"/w*", Method.POLL))
VIEW, FILE = 2, 0
"""Numbers of a client that follows trees, and of one that asks for single paths."""
TREE = Ask(VIEW, b"/w", Scope.TREE)


class Ghost(NamedTuple):
    """A file is created, and its deletion is lost because the queue is full."""

    path: bytes

    def on(self, shell: Shell) -> None:
        with suppress(OSError):
            shell.disk.touch(self.path)
            shell.kernel.inotify.choke()
            shell.disk.unlink(self.path)


class NoRoom(NamedTuple):
    """There is no memory for the system call."""

    def on(self, shell: Shell) -> None:
        raise NoMemory


ACTS: tuple[Act | Ghost, ...] = (
    *(
        Act("touch", path)
        for path in (b"/w/n", b"/w/a/n", b"/w/a/a/n", b"/w/d/n", b"/w/d/d/n")
    ),
    *(Act("mkdir", path) for path in (b"/w/a/n", b"/w/d/n")),
    *(Act("unlink", path) for path in (b"/w/c", b"/w/a/b", b"/w/b/c", b"/w/d/f")),
    *(Act("write", path) for path in (b"/w/c", b"/w/a/b", b"/w/d/f")),
    Act("rmtree", b"/w/a"),
    Act("rename", b"/w/a", b"/w/e"),
    Act("rename", b"/w/a/b", b"/w/b/b"),
    Act("recreate", b"/w/a", b"/o/e"),
    Act("swap", b"/w/a", b"/w/b"),
    Ghost(b"/w/n"),
)


class Change(NamedTuple):
    """The administrator changes the rules: other directories are polled."""

    policy: Policy


class Scenario(NamedTuple):
    before: tuple[Step, ...]
    steps: tuple[Step | Change, ...]
    """Acts are done between the system calls of these."""
    shell: Callable[[], Shell] = Shell


def hot() -> Shell:
    """Whatever is written three times in a second is polled for a while."""
    return Shell(settings=FlowSettings(raw_events_per_second=3))


HAMMER = tuple(
    Act("modify", b"/w/c") if n % 2 else Act("utime", b"/w/c") for n in range(8)
)

SCENARIOS = {
    "a tree is asked for": Scenario((), (TREE,)),
    "a file is asked for": Scenario((), (Ask(FILE, b"/w/a/b", Scope.FILE),)),
    "directories are made": Scenario(
        (TREE,), (Act("makedirs", b"/w/d/d"), Act("touch", b"/w/d/f"), Turn())
    ),
    "a directory is moved in": Scenario(
        (TREE,), (Act("rename", b"/o/a", b"/w/d"), Turn())
    ),
    "a directory is replaced": Scenario(
        (TREE,), (Act("recreate", b"/w/b", b"/o/old"), Turn())
    ),
    "events are lost": Scenario(
        (TREE, Wait(1.0)),
        (Choke(), Act("recreate", b"/w/b", b"/o/old"), Act("write", b"/w/c"), Turn()),
    ),
    "events are lost and the queue is read in pieces": Scenario(
        (TREE, Wait(1.0), *HAMMER[:3], Choke()),
        (Act("write", b"/w/c"), Turn(), Wait(1.0)),
        lambda: Shell(piece=1),
    ),
    "an old directory takes the place of another while events are lost": Scenario(
        (TREE, Act("makedirs", b"/o/d"), Act("touch", b"/o/d/c"), Wait(1.0), Turn()),
        (
            *(Act("utime", b"/w/c"), Turn(), Choke()),
            Act("rename", b"/w/b", b"/o/old"),
            Act("rename", b"/o/d", b"/w/b"),
            *(Turn(), Wait(1.0)),
        ),
    ),
    "the kernel has no room for all": Scenario((), (TREE,), lambda: Shell(room=3)),
    "polling takes over and the kernel again": Scenario(
        (TREE, Wait(1.0)), (Change(POLLED), Wait(1.5), Change(plain_policy()))
    ),
    "polling takes over what is queued": Scenario(
        (TREE, Wait(1.0), Act("write", b"/w/c"), Act("touch", b"/w/d")),
        (Change(POLLED), Wait(1.5)),
        lambda: Shell(piece=1),
    ),
    "a file is hammered and then rests": Scenario(
        (TREE,), (*HAMMER, Turn(), Wait(2.0), Wait(12.0)), hot
    ),
    "a tree is given up and asked for again": Scenario(
        (Ask(FILE, b"/w/a", Scope.DIRECTORY),),
        (Cancel(FILE, 0), Ask(FILE, b"/w/a", Scope.DIRECTORY)),
    ),
    "a polled tree is asked for": Scenario((), (TREE,), lambda: Shell(POLLED)),
    "a polled directory is made": Scenario(
        (TREE,),
        (Act("makedirs", b"/w/d/d"), Act("touch", b"/w/d/f"), Wait(1.0)),
        lambda: Shell(POLLED),
    ),
}


def play(scenario: Scenario, act: Act | Ghost | NoRoom, call: int) -> bool:
    """Do `act` before the system call of this number; whether there are so many."""
    performance = Performance(scenario.shell())
    shell = performance.shell
    for root in (b"/w", b"/o"):
        furnish(shell.disk, root)
    for step in scenario.before:
        performance.do(step)
    first = shell.calls

    def meanwhile() -> None:
        if shell.calls == first + call:
            act.on(shell)

    shell.meanwhile = meanwhile
    for each in scenario.steps:
        if isinstance(each, Change):
            shell.change_policy(each.policy)
        else:
            performance.do(each)
    is_done = shell.calls >= first + call
    performance.rest()
    check(performance)
    return is_done


@pytest.mark.parametrize("name", SCENARIOS)
def test_changes_between_two_system_calls_are_not_lost(name: str) -> None:
    for act in ACTS:
        play_before_each_call(name, act)


def test_nothing_is_lost_where_a_system_call_finds_no_memory() -> None:
    for name in SCENARIOS:
        play_before_each_call(name, NoRoom())


def play_before_each_call(name: str, act: Act | Ghost | NoRoom) -> None:
    for call in count(1):
        try:
            if not play(SCENARIOS[name], act, call):
                break
        except AssertionError as error:
            raise AssertionError(f"{name}: {act} before call {call}") from error
