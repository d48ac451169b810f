"""An answer is right whatever programs did just before, and whatever was lost.

As in `test_model`, but nobody waits for a moment of rest. What is asked for is compared
with the disk at the moment when it is asked, with nearly everything busy, polled, or
lost by the kernel.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.config.gaminrc import Method, PathRule
from gamin.core.deliver.catch_up import listing_of
from gamin.core.model.subscription import Scope
from testkit.actions.in_memory import Act
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell, plain_policy
from testkit.examples import examples
from tests.models.test_busy_model import IMPATIENT
from tests.models.test_model import Choke, Turn, Wait, furnish

ROOT = b"/w"
FOLDERS = st.sampled_from([ROOT, ROOT + b"/a", ROOT + b"/b", ROOT + b"/a/a"])
PATHS = st.builds(
    lambda folder, name: folder + b"/" + name,
    FOLDERS,
    st.sampled_from([b"a", b"b", b"c"]),
)


class Question:
    """A client asks what there is, and what changed since it asked before."""


Step = Act | Turn | Wait | Choke | Question

ACTS = st.one_of(
    st.builds(Act, st.sampled_from(["touch", "write", "unlink", "modify"]), PATHS),
    st.builds(Act, st.sampled_from(["mkdir", "makedirs", "write", "rmtree"]), PATHS),
    st.builds(Act, st.sampled_from(["rename", "rename", "swap"]), PATHS, PATHS),
)
STEPS: st.SearchStrategy[Step] = st.one_of(
    ACTS,
    ACTS,
    ACTS,
    st.just(Turn()),
    st.just(Question()),
    st.just(Choke()),
    st.builds(Wait, st.sampled_from([0.01, 0.3, 1.0])),
)

Known = dict[bytes, tuple[int, int]]
"""Numbers of files and versions of their content, by path; zeros for a directory: when
another one takes its place, a difference reports what is in it."""


class Answers:
    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        shell.is_drained_by_loop = True
        furnish(shell.disk, ROOT)
        self._client: View = shell.view()
        self._asked = self._client.subscribe(ROOT, Scope.TREE)
        shell.sleep(1)
        self._tick = shell.monitor.tree.tick
        self._known = self._compare()

    def _compare(self) -> Known:
        return {
            path: (0, 0) if inode.is_dir else (inode.number, inode.written)
            for path, inode in self._shell.disk.below(ROOT)
        }

    def do(self, step: Step) -> None:
        match step:
            case Act():
                step.on(self._shell)
            case Turn():
                self._shell.run_once()
            case Wait(seconds):
                self._shell.sleep(seconds)
            case Choke():
                self._shell.kernel.inotify.choke()
            case Question():
                self.ask()

    def ask(self) -> None:
        """AssertionError where the answer is not right."""
        shell, monitor = self._shell, self._shell.monitor
        shell.synchronise()
        assert shell.bring_up_to_date(self._asked)
        shell.do(monitor.flush_deferred(shell.now))
        there = self._compare()
        assert {row.path for row in listing_of(self._asked)} - {ROOT, b""} == set(there)
        rows = shell.rows_since(self._asked, self._tick)
        assert rows is not None
        wanted = {
            path
            for path in there.keys() | self._known.keys()
            if there.get(path) != self._known.get(path)
        }
        assert wanted <= {p for row in rows for p in (row.path, row.source or row.path)}
        self._tick, self._known = monitor.tree.tick, there


SHELLS: dict[str, Callable[[], Shell]] = {
    "the kernel reports everything": lambda: Shell(settings=IMPATIENT),
    "the kernel's events come in small pieces": lambda: Shell(
        settings=IMPATIENT, piece=3
    ),
    "the kernel has room for 2 directories": lambda: Shell(settings=IMPATIENT, room=2),
    "one place is polled": lambda: Shell(
        plain_policy(PathRule(ROOT + b"/a*", Method.POLL)), IMPATIENT
    ),
    "all is polled": lambda: Shell(
        plain_policy(poll_only=True), IMPATIENT, has_kernel=False
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=examples(60))
@given(steps=st.lists(STEPS, max_size=50))
def test_an_answer_equals_the_disk_at_any_moment(shell: str, steps: list[Step]) -> None:
    answers = Answers(SHELLS[shell]())
    for step in steps:
        answers.do(step)
    answers.ask()
