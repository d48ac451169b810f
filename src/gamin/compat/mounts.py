"""The file systems below a directory that a program would want to watch as well.

watchfiles and watchdog descend into every mount. The service stays on one file system
unless it is asked to cross, and then it would scan /proc and /sys, too. So each mount
below a watched directory is watched as a path of its own, unless it is one of those.
"""

import os
from collections.abc import Iterable

from gamin.config.mounts import Mounts, parse
from gamin.paths import parent
from gamin.system import mountinfo

# Their files are made up by the kernel: nobody is notified of their changes, and
# scanning them takes long.
# fmt: off
PSEUDO_TYPES = frozenset({
    "autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs",
    "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "fuse.gvfsd-fuse",
    "fuse.lxcfs", "fuse.portal", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore",
    "resctrl", "rpc_pipefs", "securityfs", "selinuxfs", "smackfs", "sysfs", "tracefs",
})
# fmt: on


def mounts_below(paths: Iterable[str], text: bytes | None = None) -> list[str]:
    """The mount points strictly below any of the absolute `paths`, sorted.

    `text` is that of mountinfo; by default it is read now. Empty where that fails.
    """
    if text is None:
        try:
            text = mountinfo.read()
        except OSError:
            return []
    mounts = Mounts(parse(text))
    found = {
        os.fsdecode(point)
        for path in paths
        for point in mounts.points_below(os.fsencode(path))
        if not _is_pseudo(mounts, point)
    }
    return sorted(found)


def _is_pseudo(mounts: Mounts, point: bytes) -> bool:
    """Whether the mount, or one that it lies in, is made up by the kernel."""
    while point != b"/":
        if mounts.of(point).type in PSEUDO_TYPES:
            return True
        point = parent(point)
    return False
