"""Servers that are forked from a process which has imported everything they need.

A server spends nine tenths of its start on imports. A test that is not about the start
takes one of these: it runs the entry point of the program, in the environment, the
directory and the descriptors that the program would be given.
"""

import ctypes
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from types import TracebackType
from typing import Self

from gamin.client.launch import launch, server_command

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["testkit.imported_server"])
_LOCK = threading.Lock()
"""The processes of `multiprocessing` belong to one thread."""

_CAPABILITY_VERSION = 0x20080522
_READ_ANYTHING = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


_users: set[int] = set()


def use() -> None:
    """Fork the servers that this process starts from now on. Only tests do so: what is
    measured, and what is soaked, is the program."""
    _users.add(os.getpid())


def are_in_use() -> bool:
    return os.getpid() in _users


def prepare() -> None:
    """Start the process that servers are forked from, and with it all descriptors that
    it takes here: a test may count those."""
    with _LOCK:
        forkserver.ensure_running()


class ForkedServer:
    """What tests use of a `subprocess.Popen`."""

    def __init__(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        *,
        log: str = "",
        is_detached: bool = False,
        is_ordinary: bool = False,
    ) -> None:
        """`words` are those of the command line. Standard error is appended to the
        file `log`, or dropped. `is_detached`: it gets a session of its own, and this is
        a process that has started it and ends. `is_ordinary`: it may not read
        everything, even as root."""
        manner = (log, is_detached, is_ordinary)
        given = (list(words), dict(environ), os.getcwd(), *manner)
        # Daemonic: one that a test forgets ends with the process of the tests.
        self._process = _CONTEXT.Process(target=_serve, args=given, daemon=True)
        with _LOCK:
            self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self._status: int | None = None

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        if self._status is None:
            with _LOCK:
                self._status = self._process.exitcode
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None:
            multiprocessing.connection.wait([self._process.sentinel], timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired("a forked server", timeout or 0.0)
        return status

    def close(self) -> None:
        """Wait for its end, and release the descriptors of it."""
        self.wait()
        with _LOCK:
            self._process.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


def launch_forked(
    command: Sequence[str], session: bytes, environ: Mapping[str, str]
) -> None:
    """Does what `gamin.client.launch.launch` does for our own server; any other program
    is executed."""
    if command != server_command({}):
        launch(command, session, environ)
        return
    given = {**environ, "GAM_CLIENT_ID": os.fsdecode(session)}
    ForkedServer([], given, is_detached=True).close()


def _serve(
    words: list[str],
    environ: dict[str, str],
    directory: str,
    log: str,
    is_detached: bool,
    is_ordinary: bool,
) -> None:
    """Runs in the new process."""
    from gamin.daemon.process.start import main

    if is_detached:
        if os.fork():
            os._exit(0)
        os.setsid()
    if is_ordinary:
        _forgo(_READ_ANYTHING)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(directory)
    _redirect(os.open(os.devnull, os.O_RDWR), 0, 1)
    place = log or os.devnull
    _redirect(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), 2)
    sys.argv = ["gam_server", *words]
    sys.exit(main())


def _forgo(capabilities: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    if libc.capget(header, sets) == 0:
        for number in range(3):
            sets[number] &= ~capabilities
        if libc.capset(header, sets) == 0:
            return
    raise OSError(ctypes.get_errno(), "capset")


def _redirect(opened: int, *streams: int) -> None:
    for stream in streams:
        os.dup2(opened, stream)
    os.close(opened)
