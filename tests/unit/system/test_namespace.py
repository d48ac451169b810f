"""A process in another mount namespace may mean other files by the same paths."""

import os
import subprocess
import sys

import pytest

from gamin.system.namespace import sees_other_files
from testkit.servers import can_mount


def test_a_process_of_the_same_namespace_sees_the_same_files() -> None:
    assert not sees_other_files(os.getpid())
    assert not sees_other_files(os.getppid())


def test_a_process_outside_of_the_pid_namespace_sees_other_files() -> None:
    assert sees_other_files(0)


def test_nothing_is_known_of_a_process_that_has_ended() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not sees_other_files(ended.pid)


@pytest.mark.skipif(not can_mount(), reason="no rights to have mounts of its own")
def test_a_process_with_mounts_of_its_own_sees_other_files() -> None:
    program = "print(flush=True); input()"
    with subprocess.Popen(
        ["unshare", "--mount", sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        other.stdout.readline()
        assert sees_other_files(other.pid)
        other.communicate(b"\n")
