"""Limits and the working directory; the rest is tested with a whole server."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gamin.daemon.process.inherited import (
    MIN_DESCRIPTORS,
    TooFewDescriptors,
    allow_descriptors,
)


def test_a_limit_that_is_high_enough_stays_as_it_is() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    allow_descriptors(MIN_DESCRIPTORS)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_fewer_descriptors_than_a_server_needs_are_an_error() -> None:
    with pytest.raises(TooFewDescriptors) as caught:
        allow_descriptors(MIN_DESCRIPTORS - 1)
    assert caught.value.limit == MIN_DESCRIPTORS - 1


def test_a_removed_working_directory_counts_as_the_root(tmp_path: Path) -> None:
    program = (
        "import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]);"
        "from gamin.daemon.process.inherited import working_directory;"
        "print(os.fsdecode(working_directory()))"
    )
    (tmp_path / "gone").mkdir()
    command = [sys.executable, "-c", program, str(tmp_path / "gone")]
    assert subprocess.check_output(command, text=True, env=os.environ) == "/\n"


def test_no_timer_of_the_starter_is_left() -> None:
    program = (
        "import signal; from gamin.daemon.process.inherited import give_up;"
        "signal.setitimer(signal.ITIMER_REAL, 1000); give_up();"
        "print(signal.getitimer(signal.ITIMER_REAL))"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, text=True) == "(0.0, 0.0)\n"
