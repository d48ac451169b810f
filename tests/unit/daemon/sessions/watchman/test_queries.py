"""What queries find in a root, from a real tree in memory."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import Steps
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman import results
from gamin.daemon.sessions.watchman.queries import Answer, Queries
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.tick_times import TickTimes
from gamin.protocol.watchman.errors import QueryFailed
from gamin.protocol.watchman.query.query import Query, parse_query
from testkit.doubles.engine import Shell

READY = 1_700_000_000
"""The second in which the root was ready."""


def finished(steps: Steps[Answer]) -> Answer:
    """What the steps return at their end."""
    answers: list[Answer] = []

    def run() -> Steps[None]:
        answers.append((yield from steps))

    for _ in run():
        pass
    return answers[0]


class Asked:
    """A root with the files a.c, b.py and sub/c.c, and queries about it."""

    def __init__(self, loop: Loop) -> None:
        self.shell = Shell()
        self.disk = self.shell.disk
        self.disk.makedirs(b"/r/sub")
        for name in (b"a.c", b"b.py", b"sub/c.c"):
            self.disk.touch(b"/r/" + name)
        subscription = self.shell.view().subscribe(b"/r", Scope.TREE)
        self.root = Root(
            subscription, itertools.count(1), self.shell.monitor, loop, (READY, 1)
        )
        self.times = TickTimes()
        self.root.become_ready(READY)
        self.note(READY)
        self.limits = ClientLimits()
        self.queries = Queries(self.times, lambda root, name: None, lambda: self.limits)

    def note(self, second: int) -> None:
        self.times.note(second, self.shell.monitor.tree.tick)

    def at(self, second: int) -> None:
        """What was done until now is detected in that second."""
        self.shell.settle()
        self.note(second)

    @property
    def clock(self) -> str:
        self.shell.settle()
        return str(self.root.clock())

    def ask(self, **query: Any) -> Answer:
        self.shell.settle()
        query.setdefault("fields", ["name"])
        return finished(self.answer(parse_query(query)))

    def answer(self, query: Query) -> Steps[Answer]:
        spec = self.queries.resolved(self.root, query.since)
        return self.queries.answer(self.root, query, spec)

    def names(self, **query: Any) -> set[str]:
        rows = self.ask(**query).rows.rows
        found = [row.name.decode() for row in rows if row.exists]
        assert len(found) == len(set(found)), "a file is found once"
        return set(found) | {f"-{row.name.decode()}" for row in rows if not row.exists}


@pytest.fixture
def asked() -> Iterator[Asked]:
    loop = Loop()
    yield Asked(loop)
    loop.close()


def test_without_a_clock_everything_is_found_and_fresh(asked: Asked) -> None:
    assert asked.names() == {"a.c", "b.py", "sub", "sub/c.c"}
    assert asked.ask().is_fresh


def test_a_generator_limits_a_query_without_a_clock(asked: Asked) -> None:
    assert asked.names(suffix="c") == {"a.c", "sub/c.c"}


def test_a_glob_in_a_directory_that_is_not_there_is_an_error(asked: Asked) -> None:
    assert asked.names(glob=["*.c"], relative_root="sub") == {"c.c"}
    for path in ("bogus", "a.c"):
        with pytest.raises(QueryFailed, match="check your relative_root parameter!"):
            asked.ask(glob=["*.c"], relative_root=path)


def test_since_a_clock_only_changes_are_found(asked: Asked) -> None:
    clock = asked.clock
    asked.disk.touch(b"/r/new")
    asked.disk.unlink(b"/r/a.c")
    assert asked.names(since=clock) == {"new", "-a.c"}
    assert not asked.ask(since=clock).is_fresh


def test_the_clock_of_an_answer_continues_it(asked: Asked) -> None:
    clock = str(asked.ask().clock)
    asked.disk.touch(b"/r/new")
    assert asked.names(since=clock) == {"new"}


def test_since_beside_another_generator_finds_what_either_finds(asked: Asked) -> None:
    clock = asked.clock
    asked.disk.touch(b"/r/new.py")
    asked.disk.unlink(b"/r/b.py")
    assert asked.names(since=clock, suffix="c") == {
        *("new.py", "-b.py"),
        *("a.c", "sub/c.c"),
    }


def test_what_only_another_generator_finds_is_not_new(asked: Asked) -> None:
    clock = asked.clock
    asked.disk.touch(b"/r/new.c")
    rows = asked.ask(since=clock, suffix="c").rows.rows
    assert {row.name for row in rows if row.is_new} == {b"new.c"}


def test_since_a_stale_clock_finds_everything_whatever_else_is_asked(
    asked: Asked,
) -> None:
    answer = asked.ask(since="c:1:2:3:4", suffix="c")
    assert answer.is_fresh
    assert {row.name for row in answer.rows.rows} == {
        b"a.c",
        b"b.py",
        b"sub",
        b"sub/c.c",
    }


def test_an_expression_limits_what_all_generators_find(asked: Asked) -> None:
    clock = asked.clock
    asked.disk.touch(b"/r/new.py")
    wanted = {"since": clock, "suffix": "c", "expression": ["suffix", "py"]}
    assert asked.names(**wanted) == {"new.py"}


def test_a_fresh_answer_may_be_asked_to_be_empty(asked: Asked) -> None:
    answer = asked.ask(empty_on_fresh_instance=True)
    assert answer.is_fresh
    assert answer.rows.is_empty


def test_a_named_cursor_moves_on_with_each_query(asked: Asked) -> None:
    assert asked.ask(since="n:mine").is_fresh
    asked.disk.touch(b"/r/new")
    assert asked.names(since="n:mine") == {"new"}
    assert asked.names(since="n:mine") == set()
    assert asked.ask(since="n:other").is_fresh


def test_since_a_time_is_when_a_change_was_detected(asked: Asked) -> None:
    """And never what a program wrote into the file's mtime."""
    asked.disk.touch(b"/r/early")
    asked.at(READY + 10)
    asked.disk.touch(b"/r/late")
    asked.at(READY + 20)
    assert asked.names(since=READY + 21) == set()
    assert asked.names(since=READY + 20) == {"late"}
    assert asked.names(since=READY + 11) == {"late"}
    assert asked.names(since=READY + 10) == {"early", "late"}
    assert not asked.ask(since=READY + 10).is_fresh


def test_since_a_time_before_the_root_was_watched_finds_everything(
    asked: Asked,
) -> None:
    asked.disk.unlink(b"/r/a.c")
    asked.at(READY + 10)
    assert asked.names(since=READY) == {"b.py", "sub", "sub/c.c", "-a.c"}
    assert asked.names(since=0) == {"b.py", "sub", "sub/c.c", "-a.c"}
    assert not asked.ask(since=0).is_fresh


# -- what happens during a query in slices


@pytest.fixture(params=range(3))
def steps_before(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> int:
    """A query looks at one row in each step; something happens after so many."""
    monkeypatch.setattr(results, "STEP_PRICE", 1)
    count: int = request.param
    return count


def interrupted(
    asked: Asked, steps_before: int, happens: Callable[[], object], **query: Any
) -> Answer:
    """The answer to a query, when this happens in the middle."""
    asked.shell.settle()
    query.setdefault("fields", ["name"])
    steps = asked.answer(parse_query(query))

    def run() -> Steps[Answer]:
        for _ in range(steps_before):
            next(steps, None)
        happens()
        asked.shell.settle()
        return (yield from steps)

    return finished(run())


def existing(answer: Answer) -> list[bytes]:
    return sorted(row.name for row in answer.rows.rows if row.exists)


@pytest.mark.parametrize("query", [{}, {"suffix": ["c", "py"]}, {"path": [""]}])
def test_what_happens_during_a_query_is_in_its_answer(
    asked: Asked, steps_before: int, query: dict[str, Any]
) -> None:
    def happens() -> None:
        asked.disk.touch(b"/r/sub/new.c")
        asked.disk.unlink(b"/r/a.c")
        asked.disk.rename(b"/r/sub", b"/r/away")

    answer = interrupted(asked, steps_before, happens, **query)
    assert existing(answer) == existing(asked.ask(**query))
    assert answer.clock == asked.root.clock()


def test_what_happens_during_a_query_of_changes_is_in_its_answer(
    asked: Asked, steps_before: int
) -> None:
    clock = asked.clock
    asked.disk.touch(b"/r/one")
    asked.shell.settle()

    def happens() -> None:
        asked.disk.unlink(b"/r/b.py")
        asked.disk.touch(b"/r/two")

    answer = interrupted(asked, min(steps_before, 1), happens, since=clock)
    found = {row.name: (row.exists, row.is_new) for row in answer.rows.rows}
    expected = {b"one": (True, True), b"two": (True, True), b"b.py": (False, False)}
    assert found == expected


@pytest.mark.parametrize("lives", [1, 2])
@pytest.mark.parametrize("is_since", [False, True])
def test_a_file_that_came_and_went_during_a_query_is_not_in_its_answer(
    asked: Asked, steps_before: int, lives: int, is_since: bool
) -> None:
    query: dict[str, Any] = {"fields": ["name"]}
    if is_since:
        query["since"] = asked.clock
        for name in (b"one", b"two", b"sub/three"):
            asked.disk.touch(b"/r/" + name)
    asked.shell.settle()
    steps = asked.answer(parse_query(query))

    def run() -> Steps[Answer]:
        for _ in range(steps_before):
            next(steps)
        asked.disk.touch(b"/r/sub/short-lived")
        asked.shell.settle()
        for _ in range(lives):
            next(steps)
        asked.disk.unlink(b"/r/sub/short-lived")
        asked.shell.settle()
        return (yield from steps)

    assert b"sub/short-lived" not in existing(finished(run()))


def test_a_query_that_costs_too_much_is_refused(asked: Asked) -> None:
    asked.limits = ClientLimits(query_price=10)
    assert asked.names() == {"a.c", "b.py", "sub", "sub/c.c"}
    terms = ["anyof", *(["name", str(n)] for n in range(5))]
    with pytest.raises(QueryFailed, match="too expensive"):
        asked.ask(expression=terms)
