"""Gives up the controlling terminal."""

import fcntl
import os
import termios
from contextlib import suppress


def leave_terminal() -> None:
    """Become a session of its own, or at least a process without a terminal.

    A shell makes each of its jobs the leader of a process group, which cannot become a
    session; such a process can still detach from the terminal (tty_ioctl(4)).
    """
    try:
        os.setsid()
        return
    except PermissionError:
        pass
    with suppress(OSError):  # there is no terminal
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            if os.getsid(0) != os.getpid():  # a leader would take it from all others
                fcntl.ioctl(terminal, termios.TIOCNOTTY)
        finally:
            os.close(terminal)
