"""Servers as processes: started for a session, found when they answer, ended by pid.

What is said to them is not decided here.
"""

import os
import pwd
import socket
import struct
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from testkit.forked_servers import ForkedServer, are_in_use
from testkit.waiting import eventually

# As installed beside the interpreter that runs the tests.
OUR_SERVER = Path(sys.executable).with_name("gam_server")

HELLO = b"\0"
_SUN_PATH = 108  # bytes in sockaddr_un.sun_path; the name is padded to all of them

# Root may read everything, and an unreadable directory would not be one. Without
# these two capabilities the permission bits count for root as for anybody.
_ORDINARY = [
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
]
_OWN_MOUNTS = ["unshare", "--mount", "--propagation=private"]


@dataclass(frozen=True, slots=True)
class Server:
    session: str
    program: str
    pid: int
    own_mounts: bool


def environment() -> dict[str, str]:
    """The environment of this process, copied by any thread at any time.

    pytest sets and removes PYTEST_CURRENT_TEST meanwhile, and a plain copy of
    `os.environ` raises KeyError if that falls between two steps of it.
    """
    values = ((name, os.environ.get(name)) for name in os.environ)
    return {name: value for name, value in values if value is not None}


@contextmanager
def running_server(
    command: Sequence[str],
    *,
    home: str,
    own_mounts: bool = False,
    is_program: bool = False,
) -> Iterator[Server]:
    """`command` with a new session as its last argument, until the end of the block.

    `home` is where it finds .gaminrc. With `own_mounts` it lives in a mount namespace
    of its own, in which file systems can be mounted without an effect on anybody else.
    Tests get our own server forked, unless it is to be the program as installed, or
    lives in such a namespace.
    """
    session = f"test-{uuid.uuid4()}"
    is_root = os.geteuid() == 0
    environ = {
        **environment(),
        "HOME": home,
        "GAM_CLIENT_ID": session,
        "GAMIN_MOUNTS": "any",  # its clients live outside
    }
    process: subprocess.Popen[bytes] | ForkedServer
    is_ours = command[0] == str(OUR_SERVER)
    if is_ours and are_in_use() and not (own_mounts or is_program):
        words = [*command[1:], session]
        process = ForkedServer(words, environ, is_ordinary=is_root)
    else:
        prefix = [*(_OWN_MOUNTS if own_mounts else []), *(_ORDINARY if is_root else [])]
        process = subprocess.Popen(
            [*prefix, *command, session], env=environ, stdin=subprocess.DEVNULL
        )
    with process:
        try:
            eventually(lambda: serving_pid(session), what=f"{command[0]} listening")
            yield Server(session, command[0], process.pid, own_mounts)
        finally:
            process.terminate()
            process.wait(10)


def serving_pid(session: str) -> int | None:
    """The process that listens for `session`; None while there is none."""
    user = pwd.getpwuid(os.getuid()).pw_name
    address = f"\0/tmp/fam-{user}-{session}".encode().ljust(_SUN_PATH, b"\0")
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(address) != 0:
            return None
        # A whole handshake, so that the server has nothing to complain of.
        probe.sendall(HELLO)
        assert probe.recv(1) == HELLO
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, _uid, _gid = struct.unpack("3i", credentials)
    return int(pid)


@cache
def can_mount() -> bool:
    """True if a process may have mounts of its own here."""
    try:
        tried = subprocess.run(
            [*_OWN_MOUNTS, "mount", "-t", "ramfs", "none", "/mnt"],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0
