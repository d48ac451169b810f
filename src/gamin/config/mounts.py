"""What is mounted where: /proc/self/mountinfo as text goes in, answers come out.

Reading that file and noticing that it changed is `daemon.configuration`'s affair.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple

from gamin.paths import parent

# File systems another machine writes to. The kernel tells what passes through this
# machine's own kernel (man 7 inotify, "Limitations"), so what others do is unseen.
# The cluster file systems (gfs2, ocfs2, lustre, ...) are on local disks or their own
# protocol but have the same gap. Names of fuse.* are those their programs give.
# fmt: off
NETWORK_TYPES = frozenset({
    "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "lustre", "ncpfs", "nfs", "nfs4",
    "novfs", "ocfs2", "orangefs", "smb3", "smbfs", "fuse.ceph", "fuse.ceph-fuse",
    "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys",
    "fuse.gvfsd-fuse", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs",
    "fuse.sshfs", "fuse.weed",
})
# fmt: on

# Directories a host lends to the virtual machine or container it runs: the same gap,
# but near and cheap to look at.
# fmt: off
HOST_TYPES = frozenset({
    "9p", "fakeowner", "prl_fs", "vboxsf", "virtiofs", "vmhgfs", "fuse.grpcfuse",
    "fuse.osxfs", "fuse.prl_fsd", "fuse.vmhgfs-fuse",
})
# fmt: on

REMOTE_TYPES = NETWORK_TYPES | HOST_TYPES

_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")
# A list of directories as overlay takes it: between colons, with "\:" for a colon.
_LAYER = re.compile(rb"(?:[^\\:]|\\.)+", re.DOTALL)
_LAYER_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


class Mount(NamedTuple):
    """One line of mountinfo; see proc_pid_mountinfo(5)."""

    point: bytes
    type: str
    options: tuple[bytes, ...] = ()  # those of the file system, like b"lowerdir=/a"
    source: bytes = b""
    id: bytes = b""
    parent: bytes = b""  # the id of the mount that `point` lies on


NOWHERE = Mount(b"/", "unknown")


class Mounts:
    """The mounts a path can lead into."""

    def __init__(self, mounts: Iterable[Mount] = ()) -> None:
        # Of two on one point the later one is on top.
        self._at = {mount.point: mount for mount in _reachable(list(mounts))}
        self._points = sorted(self._at)

    def __iter__(self) -> Iterator[Mount]:
        return (self._at[point] for point in self._points)

    def of(self, path: bytes) -> Mount:
        """The mount that holds `path`, by its longest leading part.

        `path` is absolute; symlinks in it are the caller's to follow.
        """
        while path not in self._at and path != b"/":
            path = parent(path)
        return self._at.get(path, NOWHERE)

    def points_below(self, path: bytes) -> tuple[bytes, ...]:
        """The mount points strictly below `path`, in order."""
        prefix = path.rstrip(b"/") + b"/"
        start = bisect_right(self._points, prefix)
        below = takewhile(lambda p: p.startswith(prefix), self._points[start:])
        return tuple(below)

    def is_remote(self, mount: Mount) -> bool:
        """True if others can change files there without this kernel knowing."""
        return self.remote_part(mount) is not None

    def remote_part(self, mount: Mount) -> Mount | None:
        """`mount` if it is remote; for an overlay, the first remote mount under it."""
        asked: set[bytes] = set()
        waiting = [mount]
        while waiting:
            mount = waiting.pop(0)
            if mount.type in REMOTE_TYPES:
                return mount
            # Seen from inside a container its parts seem to lie on the overlay
            # itself: a circle, cut here.
            if mount.type == "overlay" and mount.point not in asked:
                asked.add(mount.point)
                waiting += [self.of(layer) for layer in layers(mount)]
        return None


def layers(overlay: Mount) -> Iterator[bytes]:
    """The directories an overlay shows, as far as they are told by full path."""
    for option in overlay.options:
        name, _, value = option.partition(b"=")
        # From Linux 6.5 on each lower one may be an option of its own, with a plus.
        if name in (b"lowerdir", b"lowerdir+", b"datadir+", b"upperdir"):
            for layer in _LAYER.findall(value):
                if layer.startswith(b"/"):
                    yield _LAYER_ESCAPE.sub(rb"\1", layer)


def parse(text: bytes) -> Iterator[Mount]:
    """Read mountinfo; a line that is not understood is left out."""
    for line in text.split(b"\n"):
        # ID PARENT DEVICE ROOT POINT OPTIONS [OPTIONAL...] - TYPE SOURCE OPTIONS
        before, _, after = line.partition(b" - ")
        match before.split(b" "), after.split(b" "):
            case [id_, up, _, _, point, _, *_], [type_, source, options, *_] if (
                point.startswith(b"/")
            ):
                yield Mount(
                    _unescaped(point),
                    _unescaped(type_).decode(errors="backslashreplace"),
                    # Split first: a comma within a value is escaped.
                    tuple(_unescaped(option) for option in options.split(b",")),
                    _unescaped(source),
                    id_,
                    up,
                )


def _unescaped(field: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), field)


def _reachable(mounts: list[Mount]) -> Iterator[Mount]:
    """Leave out what a later mount nearer to the root has buried.

    With something mounted on /a after /a/b, no path leads to the old /a/b any more,
    though mountinfo still lists it: a sibling hides whatever lies deeper than it on
    the same parent, and all that is mounted on that in turn.
    """
    by_id = {mount.id: mount for mount in mounts if mount.id != mount.parent}
    taken = {(mount.parent, mount.point) for mount in by_id.values()}
    buried = {
        mount.id
        for mount in by_id.values()
        if any((mount.parent, above) in taken for above in _ancestors(mount.point))
    }
    for mount in mounts:
        if not any(step.id in buried for step in _chain(mount, by_id)):
            yield mount


def _ancestors(path: bytes) -> Iterator[bytes]:
    while path != b"/":
        path = parent(path)
        yield path


def _chain(mount: Mount | None, by_id: dict[bytes, Mount]) -> Iterator[Mount]:
    """`mount`, what it is mounted on, and so on; a circle ends it."""
    seen: set[bytes] = set()
    while mount is not None and mount.id not in seen:
        seen.add(mount.id)
        yield mount
        mount = by_id.get(mount.parent)
