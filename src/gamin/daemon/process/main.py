"""The program `gam_server`: a drop-in for the original server."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial

from gamin.backends.base import KernelBackend
from gamin.backends.combined import CombinedBackend
from gamin.config import loader
from gamin.config.client_limits import ClientLimits
from gamin.daemon.io.addresses import AddressInUse, AlreadyRunning, Listening, acquire
from gamin.daemon.io.loop import Loop
from gamin.daemon.process import log_limit
from gamin.daemon.process.config_watch import know_distant
from gamin.daemon.process.inherited import (
    OWN_DESCRIPTORS,
    allow_descriptors,
    release_output,
    working_directory,
)
from gamin.daemon.process.lifecycle import Server
from gamin.daemon.process.no_memory import end_without_memory
from gamin.daemon.process.stderr import NonBlockingStderrHandler
from gamin.errors import GaminError
from gamin.system import address, systemd
from gamin.system.debug_log import (
    DebugLog,
    EscapingFormatter,
    fit_level,
    is_wanted,
)
from gamin.system.socketdir import UnsafeSocketPath
from gamin.system.spare_descriptor import SPARE

logger: logging.Logger = logging.getLogger("gamin")

USAGE = "usage: gam_server [--notimeout] [--pollonly] [SESSION]"
YOUNG_OBJECTS = 20_000
"""Objects after which the collector looks at those that are new: some 2 ms. What it has
looked at once it does not look at again until a client has left (`Memory`): the growing
tree has hardly a cycle, and collecting it repeatedly took a quarter of the time to scan
20,000 directories (measured)."""
RARELY = 1_000_000
"""Collections of new objects before older ones are looked at, too."""
SWITCH_SECONDS = 0.0005
"""Seconds for which the loop waits for a thread that computes, as one that reads a
large request; Python's own are ten times as many, at each system call of the loop."""
MAX_RECURSION = 20_000
"""Levels of recursion: a path may have 2,000 names, and each takes a few levels."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one session of the user who started the process; return the exit status.

    As in the original, a word that is no option is the session, and overrides
    GAM_CLIENT_ID. The status is also 0 where another server has the session already.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "--help" in words or "-h" in words:
        sys.stdout.write(USAGE + "\n")
        return 0
    options = {word for word in words if word in ("--notimeout", "--pollonly")}
    sessions = [word for word in words if word not in options]
    unknown = [word for word in sessions if word.startswith("--")]
    if unknown or len(sessions) > 1:
        sys.stderr.write(f"gam_server: {(unknown or sessions[1:])[0]!r}?\n{USAGE}\n")
        return 64
    _log_to_stderr()
    try:
        allow_descriptors(ClientLimits().connections + OWN_DESCRIPTORS)
        where = address.find(
            os.environ, os.getuid(), session=sessions[0] if sessions else None
        )
        passed = systemd.passed_sockets(os.environ, os.getpid())
        for variable in systemd.VARIABLES:
            os.environ.pop(variable, None)
        know_distant(loader.read_mounts())
        listening = acquire(
            where,
            [each.socket for each in passed if each.name not in systemd.ANYWHERE],
            [each.socket for each in passed if each.name == systemd.CHOSEN],
            [each.socket for each in passed if each.name == systemd.OWN],
        )
    except AlreadyRunning as running:
        logger.info("%s", running)
        return 0
    except (GaminError, AddressInUse, UnsafeSocketPath, OSError) as error:
        logger.error("%s", error)
        return 1
    return serve(listening, options)


def _log_to_stderr() -> None:
    handler = NonBlockingStderrHandler()
    text = f"gam_server: {log_limit.FORMAT}"
    handler.setFormatter(EscapingFormatter(text, defaults=log_limit.DEFAULTS))
    handler.addFilter(log_limit.LogLimit())
    handler.setLevel(logging.DEBUG if is_wanted(os.environ) else logging.WARNING)
    logger.addHandler(handler)
    fit_level(logger)


def serve(listening: Listening, options: set[str]) -> int:
    """Serve until a signal, a command or idleness ends it; return the exit status."""
    sys.setrecursionlimit(MAX_RECURSION)
    sys.setswitchinterval(SWITCH_SECONDS)
    is_poll_only = "--pollonly" in options
    loop = Loop()
    try:
        server = Server(
            listening,
            loop,
            None if is_poll_only else _kernel(),
            cwd=working_directory(),
            has_timeout="--notimeout" not in options,
            is_poll_only=is_poll_only,
        )
    except OSError as error:  # the user's rules cannot be read for want of room
        listening.close()
        logger.error("%s", error)
        return 1
    loop.on_no_memory = server.service.on_no_memory = end_without_memory
    release_output()
    SPARE.hold()
    os.chdir("/")  # otherwise the file system could not be unmounted
    # Everything that exists now stays for good, so the collector may skip it.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, RARELY, RARELY)
    gc.enable()
    _run(server, loop)
    if server.mount_threads.stalled():
        # A thread that hangs in the kernel may go on at any moment of the
        # interpreter's end, and find half of it gone.
        os._exit(0)
    return 0


def _kernel() -> KernelBackend:
    kernel = CombinedBackend()
    try:
        kernel.open_one()
    except OSError as error:
        logger.warning(
            "no inotify instance (%s), and no fanotify group: everything is polled "
            "until there is one; raise fs.inotify.max_user_instances",
            error.strerror,
        )
    return kernel


def _run(server: Server, loop: Loop) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        loop.add_signal_handler(number, loop.stop)
    loop.add_signal_handler(signal.SIGIO, server.restore_sockets)
    server.listening.notify_removals()
    debug = DebugLog(logger, server.dump)
    loop.add_signal_handler(signal.SIGUSR2, partial(_toggle, debug))
    manager = systemd.Notifier(os.environ)
    _report_life(manager, loop)
    manager.ready()  # callers are queued from here on
    try:
        server.run()
    finally:
        manager.stopping()
        debug.stop()
        loop.close()


def _report_life(manager: systemd.Notifier, loop: Loop) -> None:
    """Report to a service manager that asked for it, and to no other, that the
    loop runs: it wakes the process up."""
    seconds = systemd.watchdog_seconds(os.environ, os.getpid())
    if seconds is None:
        return

    def report() -> None:
        manager.alive()
        loop.call_later(seconds, report)

    report()


def _toggle(debug: DebugLog) -> None:
    try:
        debug.toggle()
    except OSError as error:
        logger.warning("no debug file: %s", error)
