"""Which runs count as caused by the command itself, and which do not."""

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.loop_guard import (
    CLOCK_STEP,
    MAX_RUNS,
    Change,
    Loop,
    LoopGuard,
    ignore_pattern,
)


def runs_until_loop(
    guard: LoopGuard,
    changes: Callable[[int], Iterable[str]],
    at: Callable[[int], float],
    length: float = 10.0,
    limit: int = 20,
) -> tuple[int, Loop | None]:
    """Runs of `length` seconds, each with changes at `at(run)` seconds after its start.

    Returns how many runs such changes caused, and the loop that ended them.
    """
    now = 0.0
    for run in range(limit):
        guard.started(now)
        guard.ended(now + length)
        changed = [Change(path, now + at(run)) for path in changes(run)]
        found = guard.check(guard.admit(changed))
        if found is not None:
            return run, found
        now += length + at(run)
    return limit, None


def test_five_runs_caused_by_one_file_are_a_loop() -> None:
    guard = LoopGuard()
    caused, loop = runs_until_loop(guard, lambda _: ["/w/out"], lambda _: 3.0)
    assert (caused, loop) == (MAX_RUNS, Loop(("/w/out",), "/w", 3.0))


def test_only_files_that_changed_in_every_run_are_named() -> None:
    guard = LoopGuard()
    _, loop = runs_until_loop(guard, lambda n: ["/w/out", f"/w/{n}"], lambda _: 3.0)
    assert loop == Loop(("/w/out",), "/w", 3.0)


def test_files_with_a_new_name_each_time_are_a_loop_in_their_directory() -> None:
    guard = LoopGuard()
    _, loop = runs_until_loop(guard, lambda n: [f"/w/tmp/{n}"], lambda _: 3.0)
    assert loop == Loop((), "/w/tmp", 3.0)
    assert loop.covers("/w/tmp/new")
    assert not loop.covers("/w/tmp2")


def test_a_user_who_saves_after_the_run_is_no_loop() -> None:
    guard = LoopGuard()
    _, loop = runs_until_loop(guard, lambda _: ["/w/a.py"], lambda _: 10.01)
    assert loop is None


def test_a_user_who_saves_at_any_moment_of_the_run_is_no_loop() -> None:
    guard = LoopGuard()
    moments = [1, 7, 3, 9, 0.5, 5, 8, 2, 6, 9.5, 1, 7, 3, 9, 4, 8, 0, 6, 2, 7]
    _, loop = runs_until_loop(guard, lambda _: ["/w/a.py"], lambda n: moments[n])
    assert loop is None


def test_a_foreign_change_restarts_the_count() -> None:
    guard = LoopGuard()
    _, loop = runs_until_loop(
        guard, lambda _: ["/w/out"], lambda n: 12.0 if n % 4 == 3 else 3.0
    )
    assert loop is None


@pytest.fixture
def guard() -> LoopGuard:
    """A guard that found that the command writes /w/out, in a run that starts at 0."""
    guard = LoopGuard()
    runs_until_loop(guard, lambda _: ["/w/out"], lambda _: 3.0)
    guard.started(1000)
    return guard


def test_only_other_files_cause_runs_after_a_loop(guard: LoopGuard) -> None:
    changes = [Change("/w/out", 1003), Change("/w/a.py", 1003)]
    assert guard.admit(changes) == ["/w/a.py"]


def test_a_change_between_runs_is_admitted_and_clears_the_file(
    guard: LoopGuard,
) -> None:
    guard.ended(1010)
    assert guard.admit([Change("/w/out", 1020)]) == ["/w/out"]
    guard.started(1021)
    assert guard.admit([Change("/w/out", 1022)]) == ["/w/out"]


def test_a_change_of_an_earlier_run_may_be_reported_late(guard: LoopGuard) -> None:
    guard.ended(1010)
    guard.started(1020)
    assert guard.admit([Change("/w/out", 1003.5)]) == []


def test_a_time_stamp_may_lag_behind_the_start() -> None:
    guard = LoopGuard()
    at_start = -CLOCK_STEP / 2
    caused, _ = runs_until_loop(guard, lambda _: ["/w/out"], lambda _: at_start)
    assert caused == MAX_RUNS


def test_a_change_at_another_time_of_the_run_is_admitted(guard: LoopGuard) -> None:
    assert guard.admit([Change("/w/out", 1008)]) == ["/w/out"]


name = st.text(
    st.characters(exclude_characters="/\0\n\r", exclude_categories=["Cs"]), min_size=1
).filter(lambda text: text not in (".", "..", ".git", ".gitignore"))


@given(name)
def test_the_pattern_ignores_exactly_the_file(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "pattern"
    _repository(root)
    (root / ".gitignore").write_bytes(
        os.fsencode(ignore_pattern(f"{root}/{name}", str(root))) + b"\n"
    )
    names = (f"./{name}", f"./{name}_", f"./_{name}")  # a leading colon is magic
    asked = b"\0".join(map(os.fsencode, names))
    found = subprocess.run(
        ["git", "-C", root, "check-ignore", "-z", "--stdin", "--no-index"],
        input=asked,
        capture_output=True,
        check=False,
    )
    assert found.stdout.split(b"\0")[:-1] == [os.fsencode(f"./{name}")]


def _repository(root: Path) -> None:
    if not root.exists():
        subprocess.run(["git", "init", "-q", root], check=True)
