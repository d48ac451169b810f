"""Programs that watch files, run unchanged under `gamin exec`.

Those that are small are installed with what the tests need; `make programs` runs this
file where all of them are.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from testkit.required import missing
from testkit.waiting import eventually
from testkit.watches import serving
from testkit.watching_programs import PROGRAMS, Run, running

EDITS = 3


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


def edit_until_shown(run: Run, version: int) -> None:
    """Save the file until the program has reacted: a child that was just started may
    not watch yet when the server knows it."""

    def reacts() -> bool:
        run.edit(version)
        with suppress(AssertionError):
            return eventually(lambda: run.shows(version), deadline=1.5)
        return False

    eventually(reacts, what=f"a reaction to version {version}")


def wait_until_listed(run: Run, number: int) -> None:
    """Save the file as it is until `gamin status` lists the program: Django asks
    Watchman for a tenth of a second only, and again when it is reloaded."""

    def is_listed() -> bool:
        with suppress(AssertionError):
            return bool(eventually(run.clients, deadline=4))
        run.edit(number)
        return False

    eventually(is_listed, what="a client that gamin status lists")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_reacts_to_each_edit_and_ends_as_ever(
    name: str, tmp_path: Path
) -> None:
    program = PROGRAMS[name]
    if (reason := program.why_not) is not None:
        if program.is_small:
            missing(name)
        pytest.skip(f"{name} {reason}: see `make programs`")
    with running(program, tmp_path) as run:
        eventually(lambda: run.shows(0), what="version 0")
        for version in range(1, EDITS + 1):
            wait_until_listed(run, version - 1)
            edit_until_shown(run, version)
        run.interrupt()
        assert run.process.wait(20) in program.ends_with, run.output
    for complaint in ("gamin exec:", "without gamin"):
        assert complaint not in run.output
