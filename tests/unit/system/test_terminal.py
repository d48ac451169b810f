"""Giving up the controlling terminal, with a real one."""

import os
import pty

from gamin.system.terminal import leave_terminal

HAS_NONE = b"none"


def has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def test_a_process_with_a_terminal_loses_it() -> None:
    """In a child of the leader of a terminal's session, as a shell's jobs are."""
    results, inlet = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)  # a leader of a process group cannot become a session
            assert has_terminal()
            leave_terminal()
            os.write(inlet, b"yes" if has_terminal() else HAS_NONE)
            os._exit(0)
        os.waitpid(job, 0)
        os._exit(0)
    os.close(inlet)
    try:
        assert os.read(results, 16) == HAS_NONE
    finally:
        os.waitpid(child, 0)
        os.close(results)
        os.close(terminal)
