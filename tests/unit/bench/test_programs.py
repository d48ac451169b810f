"""The comparison of real programs on two engines: what counts as wrong."""

import subprocess
from pathlib import Path

import pytest

from bench.programs import Failed, Figures, Reaction, complaints, wait_for
from testkit.watching_programs import PROGRAMS, Program, Run

PROGRAM = PROGRAMS["hupper"]


def figures(first: float = 0.1, status: int = 254) -> Figures:
    found = Figures()
    found.reactions = [Reaction(each * first, 1.0) for each in (0.5, 1.0, 9.0)]
    found.ends = [0.5]
    found.statuses = {status}
    return found


def test_a_program_that_is_as_quick_and_ends_as_ever_is_no_reason_to_complain() -> None:
    assert complaints(PROGRAM, figures(), figures(first=0.12)) == []
    assert complaints(PROGRAM, figures(status=7), figures(status=7)) == []


def test_what_is_slower_or_unlisted_or_ends_otherwise_is_named() -> None:
    ours = figures(first=0.15, status=1)
    ours.is_listed = False
    assert complaints(PROGRAM, figures(), ours) == [
        "is not listed by gamin status",
        "ends with another status",
        "is 50 ms slower",
    ]


def test_a_failure_is_a_complaint_only_if_it_is_ours() -> None:
    failed = Figures()
    with failed.keeping_errors():
        raise Failed("no reaction")
    assert str(failed) == "no reaction"
    assert complaints(PROGRAM, figures(), failed) == ["fails"]
    assert complaints(PROGRAM, failed, figures()) == []


def test_a_program_that_ends_by_itself_is_named_with_its_last_lines(
    tmp_path: Path,
) -> None:
    (tmp_path / "out").write_text("first\nlast\n")
    process = subprocess.Popen(["false"])
    process.wait()
    run = Run(Program("sys", "app.py", "", ()), tmp_path, process)
    with pytest.raises(Failed, match=r"status 1\n    \| first\n    \| last"):
        wait_for(run, 1, 60.0)
