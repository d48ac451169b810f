"""Runs a function in another process, of another user if the test needs that.

The tests say what it does there, and what it sends through its pipe.
"""

import multiprocessing
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534
# Forked, so that another user needs no right to read our interpreter's files.
_FORKED = multiprocessing.get_context("fork")

Barrier = _FORKED.Barrier


@contextmanager
def beside(
    function: Callable[..., None], *args: object, uid: int | None = None
) -> Iterator[Connection]:
    """Run `function(pipe, *args)` in another process, under `uid` if given.

    Yields this side's end of the pipe. At the end of the block the pipe is closed,
    which ends every `wait_for_end` over there, and the process is awaited.
    """
    ours, theirs = _FORKED.Pipe()
    process = _FORKED.Process(target=_run, args=(uid, ours, theirs, function, args))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()
        process.close()


def wait_for_end(pipe: Connection) -> None:
    """Return when the other side of `pipe` has left its block."""
    with pytest.raises(EOFError):
        pipe.recv()


def require_root() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can play another user")


def end(pid: int) -> None:
    """End a process that is nobody's child, and return when it has gone."""
    watched = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGTERM)
        select.select([watched], [], [])
    finally:
        os.close(watched)


@contextmanager
def common_directory() -> Iterator[Path]:
    """A directory as /tmp is: everybody may enter and make things of their own."""
    path = Path(tempfile.mkdtemp(prefix="gamin-test-", dir="/tmp"))
    path.chmod(0o1777)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _run(
    uid: int | None,
    ours: Connection,
    theirs: Connection,
    function: Callable[..., None],
    args: tuple[Any, ...],
) -> None:
    ours.close()
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    function(theirs, *args)
