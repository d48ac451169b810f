"""Whether two processes see the same files.

Programs in different mount namespaces (mount_namespaces(7)) may mean different files by
one path, and yet reach each other: an abstract socket name belongs to the network
namespace, and directories may be shared.
"""

import os

ANY = "any"
"""The value of GAMIN_MOUNTS with which nobody compares."""


def sees_other_files(pid: int) -> bool:
    """Whether the process is known to be in another mount namespace than this one.

    A pid of 0 means a process outside of our pid namespace, as the kernel gives it for
    a peer: it runs in another container, or we do. Of a process that hides itself from
    its own user (prctl(2), PR_SET_DUMPABLE), and of one that has ended, nothing is
    known.
    """
    if not pid:
        return True
    try:
        theirs = os.stat(f"/proc/{pid}/ns/mnt")
        ours = os.stat("/proc/self/ns/mnt")
    except OSError:
        return False
    return (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino)
