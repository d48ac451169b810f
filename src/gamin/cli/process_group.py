"""The process group in which `gamin run` runs its command, and the terminal it gets.

The leader of the group is a small shell, the *sentinel*. It holds the number of the
group from the first run to the last, so a signal can never reach a stranger. Ctrl-C in
the terminal goes to the group in its foreground, which is the command's and not ours;
the sentinel dies of it, and so we learn of it whatever the command does. And it holds a
pipe to us: if we are killed, it stops the command.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gamin.system.process_table import group_members

# Only SIGINT ends the sentinel. When the pipe on its standard input ends, it sends the
# stop signal to the whole group, and SIGKILL to what is left later.
_SENTINEL = (
    "trap '' HUP QUIT TERM USR1 USR2 ALRM PIPE; read -r _; trap '' INT; "
    'kill -s "$1" 0; sleep "$2"; kill -s KILL 0'
)

_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTTOU)
"""Ignored in this process, and to be restored in the command."""


class Ended(NamedTuple):
    """How the command ended."""

    status: int
    """Its exit status, or the signal that killed it."""
    is_signal: bool = False

    @property
    def exit_status(self) -> int:
        """As shells report it."""
        return 128 + self.status if self.is_signal else self.status


class Stopped(NamedTuple):
    """The command is suspended (Ctrl-Z)."""

    signal: int


class ProcessGroup:
    """At most one command at a time, with all processes that it starts."""

    def __init__(self, stop_signal: signal.Signals, stop_timeout: float) -> None:
        self._stop_signal = stop_signal
        self._stop_timeout = stop_timeout
        self._sentinel = 0
        self._pipe = -1
        self._command = 0
        self._sent_interrupt = False

    @property
    def number(self) -> int:
        """The number of the group; 0 while there is none."""
        return self._sentinel

    def prepare(self) -> None:
        """Start a sentinel unless one runs. Nothing else of the old group may."""
        if self._sentinel:
            if os.waitpid(self._sentinel, os.WNOHANG) == (0, 0):
                return
            self._sentinel = 0
            os.close(self._pipe)
        self._sent_interrupt = False
        reader, self._pipe = os.pipe2(os.O_CLOEXEC)
        words = ["sh", "-c", _SENTINEL, "sh"]
        words += [self._stop_signal.name[3:], f"{self._stop_timeout:g}"]
        try:
            self._sentinel = os.posix_spawn(
                "/bin/sh",
                words,
                os.environ,
                setpgroup=0,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, reader, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsigdef=_IGNORED_BY_PYTHON,
            )
        finally:
            os.close(reader)

    def start(self, words: list[str], stdin: bytes | None = None) -> None:
        """Start a command, with `stdin` as its standard input. Raises OSError."""
        actions = []
        given = -1
        if stdin is not None:
            # A file in memory: a pipe of limited size would need somebody to feed it.
            given = os.memfd_create("paths", os.MFD_CLOEXEC)
            with open(given, "wb", closefd=False) as file:
                file.write(stdin)
            os.lseek(given, 0, os.SEEK_SET)
            actions.append((os.POSIX_SPAWN_DUP2, given, 0))
        try:
            self._command = os.posix_spawnp(
                words[0],
                words,
                os.environ,
                setpgroup=self._sentinel,
                file_actions=actions,
                setsigdef=_IGNORED_BY_PYTHON,
            )
        finally:
            if given >= 0:
                os.close(given)

    def poll(self) -> Ended | Stopped | None:
        """What happened to the command since the last call."""
        if not self._command:
            return None
        state = os.waitid(
            os.P_PID, self._command, os.WEXITED | os.WSTOPPED | os.WNOHANG
        )
        if state is None:
            return None
        if state.si_code == os.CLD_STOPPED:
            return Stopped(state.si_status)
        self._command = 0
        return Ended(state.si_status, state.si_code != os.CLD_EXITED)

    def was_interrupted(self) -> bool:
        """Whether the group received a SIGINT that we did not send: Ctrl-C."""
        if not self._sentinel or self._sent_interrupt:
            return False
        state = os.waitid(
            os.P_PID, self._sentinel, os.WEXITED | os.WNOHANG | os.WNOWAIT
        )
        if state is None:
            return False
        return state.si_code == os.CLD_KILLED and state.si_status == signal.SIGINT

    @property
    def is_running(self) -> bool:
        """Whether the command has been started and its end was not returned yet."""
        return self._command != 0

    def has_members(self) -> bool:
        """Whether any process of the group but the sentinel still runs."""
        if not self._sentinel:
            return False
        return any(pid != self._sentinel for pid in group_members(self._sentinel))

    def send(self, number: int) -> None:
        """Send a signal to every process of the group."""
        if self._sentinel:
            self._sent_interrupt |= number == signal.SIGINT
            os.killpg(self._sentinel, number)

    def stop(self) -> None:
        """Send the stop signal. A suspended command is resumed to receive it."""
        self.send(self._stop_signal)
        self.send(signal.SIGCONT)

    def dissolve(self) -> None:
        """Kill what is left of the group, the sentinel included."""
        if not self._sentinel:
            return
        # Not waited for until all are signalled: an unreaped leader keeps its number.
        os.killpg(self._sentinel, signal.SIGKILL)
        if self._command:
            os.waitpid(self._command, 0)
            self._command = 0
        os.waitpid(self._sentinel, 0)
        self._sentinel = 0
        os.close(self._pipe)


class Terminal:
    """The terminal on standard input, if we are in its foreground; else nothing."""

    def __init__(self) -> None:
        self._fd = -1
        try:
            if os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp():
                self._fd = 0
        except OSError:
            return  # it is not our controlling terminal
        if self._fd == 0:
            import termios

            # Without this, a process in the background is suspended by tcsetpgrp().
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            self._modes = termios.tcgetattr(self._fd)

    def give(self, group: int) -> bool:
        """Put `group` in the foreground if we are there ourselves."""
        with self._until_hang_up():
            if self._fd >= 0 and os.tcgetpgrp(self._fd) == os.getpgrp():
                os.tcsetpgrp(self._fd, group)
                return True
        return False

    def take_back(self, group: int) -> bool:
        """Return to the foreground from `group`, with the modes of the beginning."""
        with self._until_hang_up():
            if self._fd >= 0 and group and os.tcgetpgrp(self._fd) == group:
                import termios

                os.tcsetpgrp(self._fd, os.getpgrp())
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._modes)
                return True
        return False

    @contextmanager
    def _until_hang_up(self) -> Iterator[None]:
        """A terminal that has been closed is no terminal any more."""
        import termios

        try:
            yield
        except (OSError, termios.error):
            self._fd = -1
