"""The name of a process: its own for ever."""

import os
import subprocess

from gamin.system.process_identity import identity_of, is_running


def test_a_process_keeps_its_name_and_no_other_has_it() -> None:
    mine = identity_of(os.getpid())
    assert mine == identity_of(os.getpid())
    assert mine != identity_of(os.getppid())
    assert is_running(mine)


def test_a_process_that_has_ended_has_no_name() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        name = identity_of(child.pid)
        assert is_running(name)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_running(name)  # a zombie
    assert identity_of(child.pid) == b""
    assert not is_running(name)


def test_a_process_with_another_start_or_of_another_boot_is_another_one() -> None:
    pid, start, boot = identity_of(os.getpid()).split(b" ")
    assert not is_running(b" ".join((pid, start + b"1", boot)))
    assert not is_running(b" ".join((pid, start, b"another")))


def test_what_is_no_name_is_nobody() -> None:
    assert not any(map(is_running, (b"", b"x", b"0 1 x", b"-1 1 x")))
    assert identity_of(0) == b""  # a peer of another PID namespace
