"""Which of the user's processes listens at an abstract socket name.

Usually the kernel says so to whoever connects (SO_PEERCRED). But nobody is connected to
a socket whose backlog is full.
"""

import os

_LISTENS = 1 << 16
"""The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON)."""


def listening_process(name: bytes) -> int | None:
    """The pid of a process of this user that listens at the abstract name; None where
    it is another user's, or nobody's."""
    inode = _listening_inode(name)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid != os.getuid():
                continue
            files = f"/proc/{pid}/fd"
            if any(os.readlink(f"{files}/{fd}") == wanted for fd in os.listdir(files)):
                return int(pid)
        except OSError:
            continue  # it has ended, or hides itself
    return None


def _listening_inode(name: bytes) -> int | None:
    shown = name.replace(b"\0", b"@")
    try:
        with open("/proc/net/unix", "rb") as table:
            for line in table:
                fields = line.rstrip(b"\n").split(maxsplit=7)
                if len(fields) < 8 or fields[7] != shown:
                    continue
                if int(fields[3], 16) & _LISTENS:
                    return int(fields[6])
    except (OSError, ValueError):
        pass
    return None
