"""Checks of `gamin doctor`: the server of the session, and its addresses.

They only look: nothing is created, repaired or removed.
"""

import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from gamin import __version__
from gamin.cli.check_limits import raise_limit
from gamin.cli.control import is_original
from gamin.cli.finding import Finding, Level, note, ok, problem
from gamin.cli.status import Report
from gamin.paths import printable
from gamin.system.address import Address, Transport
from gamin.system.dial import AddressInUse, dial, dial_abstract
from gamin.system.peercred import peer_of
from gamin.system.proc import (
    arguments_of,
    environment_of,
    path_through,
    program_of,
    user_of,
)
from gamin.system.process_table import pids

_PATIENCE = 0.3
"""Seconds that a listening socket may take to accept a connection."""

MAX_LISTED = 5
"""Sockets that the remedy names."""

_MODULE = b"gamin.daemon.process.start"


class ServerProcess(NamedTuple):
    pid: int
    session: bytes
    is_original: bool


def check_server(report: Report | None, failure: str, address: Address) -> Finding:
    """Whether a server runs, and is the one that is installed."""
    if report is None and failure:
        return problem(
            "server",
            failure,
            "programs that want to watch files wait for it, or fail",
            "gamin stop, or end the process",
        )
    if report is None:
        return ok("server", f"none runs for {address}; the next program starts one")
    if report.version != __version__:
        return problem(
            "server",
            f"process {report.pid} is gamin {report.version}, but {__version__} is "
            "installed",
            "it keeps the old behaviour, and modules it has not loaded yet are new",
            "gamin stop",
        )
    return ok("server", f"process {report.pid}, gamin {report.version}, {address}")


def check_coverage(report: Report) -> Iterator[Finding]:
    """What the server cannot watch as it should."""
    watches = report.watches
    if watches.no_room:
        limit = report.limits.max_user_watches
        yield problem(
            "watched trees",
            f"{watches.no_room} directories are polled because the kernel has no "
            "watch left",
            "their changes are reported up to a second late, and polling costs CPU",
            raise_limit("max_user_watches", 2 * limit),
        )
    if watches.unreadable:
        yield note(
            "watched trees",
            f"{watches.unreadable} directories cannot be read by you",
            "what happens in them is not reported",
        )
    if report.recoveries.overflows:
        yield note(
            "losses",
            f"the kernel's queue overflowed {report.recoveries.overflows} times",
            "nothing is lost for clients, but each time costs a rescan",
            raise_limit("max_queued_events", 131_072),
        )


def check_addresses(address: Address) -> Iterator[Finding]:
    yield from _check_abstract(address)
    for path in dict.fromkeys((address.directory, *address.watchman_directories)):
        found = list(_check_directory(path, address))
        yield from found
        if not found:
            own = (address.file, address.watchman_file)
            for name in own:
                yield from _check_socket(path, name)
            yield from _check_other_sockets(path, own)


def _check_abstract(address: Address) -> Iterator[Finding]:
    if address.transport is Transport.DIRECTORY:
        return
    check = f"address {address.shown_abstract}"
    try:
        with dial_abstract(address, _PATIENCE) as connected:
            pid = peer_of(connected).pid
    except AddressInUse as taken:
        yield problem(
            check,
            f"it is held by {taken.holder}",
            "old programs refuse it and use the directory, or do not work at all",
            "end that process, or set GAMIN_SOCKET=directory for all your programs",
        )
    except OSError:
        yield ok(check, "free")
    else:
        if is_original(pid):
            yield problem(
                check,
                f"process {pid}, the original gam_server, holds it",
                "it knows only the original protocol, so gamin has no server",
                f"kill {pid}",
            )
        else:
            yield ok(check, f"held by process {pid} ({program_of(pid)})")


def _check_directory(path: bytes, address: Address) -> Iterator[Finding]:
    check = f"directory {printable(path)}"
    try:
        status = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISDIR(status.st_mode):
        what = "it is not a directory"
    elif status.st_uid != address.uid:
        what = f"it belongs to uid {status.st_uid}"
    elif stat.S_IMODE(status.st_mode) & 0o777 != 0o700:
        what = f"its mode is {status.st_mode & 0o777:04o}, not 0700"
    else:
        return
    yield problem(
        check,
        what,
        "gamin does not use what others could have prepared",
        f"sudo rm -rI {printable(path)}"
        if status.st_uid != address.uid
        else f"chmod 0700 {printable(path)}",
    )


def _check_other_sockets(directory: bytes, own: Sequence[bytes]) -> Iterator[Finding]:
    """The sockets of other sessions: they are harmless, but may become many."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    left = [
        directory + b"/" + name
        for name in names
        if name.startswith((b"fam-", b"modern-"))
        and name not in own
        and any(each.level is Level.NOTE for each in _check_socket(directory, name))
    ]
    if left:
        listed = " ".join(shlex.quote(printable(path)) for path in left[:MAX_LISTED])
        rest = "  # and so on" if len(left) > MAX_LISTED else ""
        yield note(
            f"directory {printable(directory)}",
            f"{len(left)} sockets of other sessions have no server",
            "they are harmless: the next server of such a session replaces its socket",
            f"rm {listed}{rest}",
        )


def _check_socket(directory: bytes, name: bytes) -> Iterator[Finding]:
    path = directory + b"/" + name
    check = f"socket {printable(path)}"
    if not os.path.lexists(path):
        return
    opened = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Through the descriptor, because the path of a socket has 107 bytes at most.
        place = path_through(opened, name)
        with suppress(BlockingIOError), dial(place, _PATIENCE):
            pass
    except ConnectionRefusedError:
        yield note(
            check,
            "nobody listens: a server left it behind",
            "the next server replaces it",
            f"rm {printable(path)}",
        )
    except OSError as error:
        yield problem(
            check,
            f"it cannot be used: {error.strerror}",
            "programs cannot reach the server",
            f"rm {printable(path)}",
        )
    finally:
        os.close(opened)


def check_single(servers: Sequence[ServerProcess], session: bytes) -> Iterator[Finding]:
    """Whether two servers share the clients of the session."""
    same = [server.pid for server in servers if server.session == session]
    if len(same) > 1:
        listed = ", ".join(map(str, same))
        yield problem(
            "several servers",
            f"processes {listed} serve the same session",
            "programs are divided between them, and files are watched twice",
            f"kill {' '.join(map(str, same[1:]))}",
        )


def servers(uid: int) -> list[ServerProcess]:
    """The servers of `uid`, as their command lines and environments show them."""
    found: list[ServerProcess] = []
    for pid in pids():
        with suppress(OSError):
            if user_of(pid) == uid:
                found += _server(pid)
    return found


def _server(pid: int) -> Iterator[ServerProcess]:
    words = arguments_of(pid)
    for place, word in enumerate(words[:5]):
        if word == _MODULE or os.path.basename(word) == b"gam_server":
            given = [each for each in words[place + 1 :] if each[:2] != b"--"]
            session = given[0] if given else _session_of(pid)
            yield ServerProcess(pid, session, is_original(pid))
            return


def _session_of(pid: int) -> bytes:
    for entry in environment_of(pid):
        if entry.startswith(b"GAM_CLIENT_ID="):
            return entry.partition(b"=")[2]
    return b""
