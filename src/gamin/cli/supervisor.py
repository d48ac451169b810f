"""The main loop of `gamin run`: changes and signals in, runs of the command out.

`RunSchedule` and `LoopGuard` decide; `ProcessGroup` and `Terminal` do it.
"""

import errno
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from gamin.cli.change_feed import ChangeFeed
from gamin.cli.loop_guard import MAX_RUNS, Change, Loop, LoopGuard, ignore_pattern
from gamin.cli.process_group import Ended, ProcessGroup, Terminal
from gamin.cli.run_schedule import Action, RunSchedule, WhenBusy
from gamin.errors import GaminError
from gamin.paths import printable

NOT_FOUND = 127
NOT_EXECUTABLE = 126
"""Exit statuses for a command that cannot be started, as shells have them."""

INTERRUPT_PATIENCE = 1.0
"""Seconds that a command gets to end after Ctrl-C before the stop signal is sent."""

LEFTOVER_PAUSE = 0.02
"""Seconds between two checks whether the processes of a stopped command have ended."""

MAX_PATTERNS = 3
"""Ignore patterns that the message about a loop offers."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


class Plan(NamedTuple):
    """What to run, and when."""

    paths: Sequence[str]
    """The watched paths, absolute."""
    words: Callable[[Sequence[str]], list[str]]
    """The command for some changed paths."""
    when_busy: WhenBusy = WhenBusy.QUEUE
    debounce: float = 0.02
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 5.0
    """Seconds from the stop signal to SIGKILL."""
    is_postponed: bool = False
    once: bool = False
    paths_on_stdin: bool = False
    clear: bool = False
    quiet: bool = False


class CannotStart(GaminError):
    """The command is not one that can be started."""

    def __init__(self, program: str, error: OSError) -> None:
        super().__init__(program, error)
        self.program = program
        self.error = error

    @property
    def exit_status(self) -> int:
        is_missing = isinstance(self.error, FileNotFoundError)
        return NOT_FOUND if is_missing else NOT_EXECUTABLE

    def __str__(self) -> str:
        if isinstance(self.error, FileNotFoundError):
            return f"cannot run {self.program!r}: no such program"
        return f"cannot run {self.program!r}: {self.error.strerror}"


class Supervisor:
    def __init__(self, plan: Plan, feed: ChangeFeed) -> None:
        self._plan = plan
        self._feed = feed
        self._schedule = RunSchedule(plan.when_busy, plan.debounce)
        self._loop_guard = LoopGuard()
        self._group = ProcessGroup(plan.stop_signal, plan.stop_timeout)
        self._terminal = Terminal()
        self._runs = 0
        self._is_checked = False
        """Whether the loop guard has judged the next run."""
        self._has_leftovers = False
        """Whether the last command left processes behind in its group."""
        self._kill_at: float | None = None
        """While the group is being stopped: when SIGKILL is due."""
        self._signal_at: float | None = None
        """After Ctrl-C: when the stop signal is due."""
        self._failure: GaminError | None = None
        """The error that ended the watch."""
        self._exit_status: int | None = None
        """Set once the program is to end."""

    def run(self) -> int:
        """Run the command as often as due. Returns the exit status of the program.

        Raises CannotStart for the first run, and what the watch raises.
        """
        if not self._plan.is_postponed:
            self._schedule.request(self._plan.paths, time.monotonic())
        with _signals() as signals:
            try:
                self._group.prepare()
                while not self._is_done():
                    self._wait(signals)
                    for number in _arrived(signals):
                        self._on_signal(number)
                    self._take_changes()
                    self._check_command()
                    self._act()
            finally:
                self._terminal.take_back(self._group.number)
                self._group.dissolve()
        if self._failure is not None:
            raise self._failure
        assert self._exit_status is not None
        return self._exit_status

    def _is_done(self) -> bool:
        return self._exit_status is not None and self._kill_at is None

    def _wait(self, signals: int) -> None:
        """Wait for a signal, a change or the next deadline."""
        poll = select.poll()
        poll.register(signals, select.POLLIN)
        if not self._feed.is_over:
            poll.register(self._feed, select.POLLIN)
        deadlines = [self._kill_at, self._signal_at]
        if self._kill_at is None:
            deadlines.append(self._schedule.deadline())
        elif not self._group.is_running:
            deadlines.append(time.monotonic() + LEFTOVER_PAUSE)
        known = [each for each in deadlines if each is not None]
        left = max(0.0, min(known) - time.monotonic()) if known else None
        poll.poll(None if left is None else left * 1000)

    # -- what happened

    def _on_signal(self, number: int) -> None:
        if number in _ENDING:
            if self._exit_status is not None:
                self._kill_at = time.monotonic()  # the second time: no more patience
            else:
                self._end(128 + number)
        elif number == signal.SIGCONT and self._group.is_running:
            self._terminal.give(self._group.number)
            self._group.send(signal.SIGCONT)

    def _take_changes(self) -> None:
        try:
            paths = self._feed.take()
        except GaminError as error:
            self._failure = error  # raised when the command has been stopped
            self._end(1)
            return
        if not paths:
            is_needed = self._group.is_running or self._exit_status is not None
            if self._feed.is_over and not is_needed:
                self._end(0)
            return
        changes = (Change(path, _changed_at(path)) for path in paths)
        self._schedule.changed(self._loop_guard.admit(changes), time.monotonic())

    def _check_command(self) -> None:
        state = self._group.poll()
        if isinstance(state, Ended):
            self._command_ended(state)
        elif state is not None:
            self._suspend(state.signal)
        if self._exit_status is None and self._group.was_interrupted():
            self._interrupted()

    def _command_ended(self, ended: Ended) -> None:
        self._has_leftovers = self._group.has_members()
        self._loop_guard.ended(time.time())
        took_terminal = self._terminal.take_back(self._group.number)
        if self._kill_at is not None:
            return  # `_act` waits for the rest of the group
        self._schedule.ended()
        if took_terminal and ended == (signal.SIGINT, True):
            self._interrupted()
        elif self._plan.once:
            self._end(ended.exit_status)
        elif ended.status and not self._plan.quiet:
            self._print(_described(ended))

    def _interrupted(self) -> None:
        """The terminal sent SIGINT to the whole group: let the command end by that."""
        self._terminal.take_back(self._group.number)  # the next Ctrl-C is for us
        self._exit_status = 128 + signal.SIGINT
        self._begin_stop()
        self._signal_at = time.monotonic() + INTERRUPT_PATIENCE

    def _suspend(self, number: int) -> None:
        group = self._group.number
        if number in (signal.SIGTTIN, signal.SIGTTOU):
            if self._terminal.give(group):
                self._group.send(signal.SIGCONT)
        elif self._terminal.take_back(group):
            # As if the terminal had suspended us too; we go on here after SIGCONT.
            os.killpg(os.getpgrp(), signal.SIGTSTP)
            self._terminal.give(group)
            self._group.send(signal.SIGCONT)

    # -- what follows from it

    def _act(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None:
            self._go_on_stopping(now)
        if self._kill_at is not None or self._exit_status is not None:
            return
        action = self._schedule.decide(now)
        if action is Action.WAIT:
            return
        found = None
        if not self._is_checked:
            found = self._loop_guard.check(self._schedule.pending)
        self._is_checked = found is None
        if found is not None:
            self._schedule.forget()
            self._print(*_loop_message(found, self._plan.paths))
        elif action is Action.STOP or self._has_leftovers:
            self._stop()
        else:
            self._start(now)

    def _start(self, now: float) -> None:
        paths = self._schedule.pending
        self._schedule.started()
        self._is_checked = False
        self._loop_guard.started(time.time())
        self._group.prepare()
        if self._plan.clear and sys.stdout.isatty():
            print(_CLEAR, end="", flush=True)
        self._terminal.give(self._group.number)
        self._runs += 1
        try:
            self._spawn(paths)
        except OSError as error:
            self._terminal.take_back(self._group.number)
            self._schedule.ended()
            self._loop_guard.ended(time.time())
            failure = CannotStart(self._plan.words(paths)[0], error)
            if self._runs == 1 or self._plan.once:
                raise failure from error
            self._print(str(failure))

    def _spawn(self, paths: Sequence[str]) -> None:
        stdin = None
        if self._plan.paths_on_stdin:
            stdin = b"".join(os.fsencode(path) + b"\0" for path in paths)
        try:
            self._group.start(self._plan.words(paths), stdin)
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise
            self._print(
                f"{len(paths)} changed paths are too many arguments: "
                "the command gets the watched paths instead",
                "--stdin0 passes any number of them",
            )
            self._group.start(self._plan.words(self._plan.paths), stdin)

    def _end(self, status: int) -> None:
        self._exit_status = status
        if self._kill_at is None and (self._group.is_running or self._has_leftovers):
            self._stop()

    def _stop(self) -> None:
        self._begin_stop()
        self._group.stop()

    def _begin_stop(self) -> None:
        self._schedule.stopping()
        self._kill_at = time.monotonic() + self._plan.stop_timeout

    def _go_on_stopping(self, now: float) -> None:
        if not self._group.is_running and not self._group.has_members():
            self._kill_at = self._signal_at = None
            self._has_leftovers = False
            self._schedule.ended()
        elif self._kill_at is not None and now >= self._kill_at:
            self._group.send(signal.SIGKILL)
            self._kill_at = now + self._plan.stop_timeout
        elif self._signal_at is not None and now >= self._signal_at:
            self._signal_at = None
            self._group.stop()

    def _print(self, *lines: str) -> None:
        for line in lines:
            print(f"gamin: {printable(line)}", file=sys.stderr, flush=True)


def _described(ended: Ended) -> str:
    if not ended.is_signal:
        return f"the command ended with status {ended.status}"
    try:
        name = signal.Signals(ended.status).name
    except ValueError:
        name = f"signal {ended.status}"
    return f"the command was ended by {name}"


def _loop_message(loop: Loop, roots: Sequence[str]) -> tuple[str, str]:
    """What the message about a loop says, with the options that end it."""
    import shlex

    shown = ", ".join(loop.paths[:MAX_PATTERNS]) or f"files in {loop.directory}"
    if len(loop.paths) > MAX_PATTERNS:
        shown += f" and {len(loop.paths) - MAX_PATTERNS} more"
    patterns = _patterns(loop, roots)
    options = " ".join(f"-i {shlex.quote(pattern)}" for pattern in patterns)
    return (
        f"{MAX_RUNS} runs in a row were caused by what the command seems to write "
        f"itself: {shown}",
        "such changes cause no further run; to leave these files out, add "
        + (options or "-i GLOB"),
    )


def _patterns(loop: Loop, roots: Sequence[str]) -> list[str]:
    holding = [r for r in roots if loop.directory == r or _is_below(loop.directory, r)]
    if not holding:
        return []
    root = max(holding, key=len)
    if 0 < len(loop.paths) <= MAX_PATTERNS:
        return [ignore_pattern(path, root) for path in loop.paths]
    if loop.directory == root:
        return []
    return [ignore_pattern(loop.directory, root, is_dir=True)]


def _is_below(path: str, root: str) -> bool:
    return path.startswith(root.rstrip("/") + "/")


def _changed_at(path: str) -> float:
    """When a path changed; for a deleted one, when its directory did."""
    try:
        return os.lstat(path).st_ctime
    except OSError:
        pass
    try:
        return os.lstat(os.path.dirname(path)).st_ctime
    except OSError:
        return time.time()


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor from which the numbers of signals can be read, one byte each."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = {}
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (*_ENDING, signal.SIGCHLD, signal.SIGCONT):
        if number not in _ENDING or signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, _note_nothing)
    try:
        yield reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(reader)
        os.close(writer)


def _note_nothing(number: int, frame: object) -> None:
    """A handler in Python, so that C writes the number to the wake-up descriptor."""


def _arrived(signals: int) -> bytes:
    try:
        return os.read(signals, 4096)
    except BlockingIOError:
        return b""
