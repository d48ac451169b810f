"""Finds the mount that a path is on, from the text of /proc/self/mountinfo.

`system.mountinfo` reads that text and reports its changes.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple

from gamin.paths import parent

# fmt: off
NETWORK_TYPES = frozenset({
    "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "lustre", "ncpfs", "nfs", "nfs4",
    "novfs", "ocfs2", "orangefs", "smb3", "smbfs", "fuse.ceph", "fuse.ceph-fuse",
    "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys",
    "fuse.gvfsd-fuse", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs",
    "fuse.sshfs", "fuse.weed",
})
"""File systems that other machines write to.

The kernel reports only what passes through itself (inotify(7), "Limitations"), so
changes by others are missed. Cluster file systems (gfs2, ocfs2, lustre, ...) have the
same gap. The names of fuse.* are those that the programs behind them choose.
"""

HOST_TYPES = frozenset({
    "9p", "fakeowner", "prl_fs", "vboxsf", "virtiofs", "vmhgfs", "fuse.grpcfuse",
    "fuse.osxfs", "fuse.prl_fsd", "fuse.vmhgfs-fuse",
})
"""Directories that a host shares with its virtual machines and containers: the same
gap, but near and cheap to poll."""
# fmt: on

REMOTE_TYPES = NETWORK_TYPES | HOST_TYPES
"""File systems where the kernel misses the changes of others. So it does on every type
of FUSE that is not in LOCAL_FUSE_TYPES: see `is_remote_type`."""

# fmt: off
LOCAL_FUSE_TYPES = frozenset({
    "fuseblk", "fuse.erofsfuse", "fuse.exfat", "fuse.fuse-ext2", "fuse.fuse-overlayfs",
    "fuse.fuse2fs", "fuse.fuseiso", "fuse.lxcfs", "fuse.ntfs-3g", "fuse.snapfuse",
    "fuse.squashfuse", "fuse.squashfuse_ll",
})
"""FUSE file systems that nobody writes to but through their own mount: on a block
device, in an image, or the layers of a container, which must not be written
otherwise."""

LOCAL_TYPES = frozenset({
    "bcachefs", "binfmt_misc", "bpf", "btrfs", "cgroup", "cgroup2",
    "configfs", "cramfs", "debugfs", "devpts", "devtmpfs", "ecryptfs", "efivarfs",
    "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fusectl", "hfs", "hfsplus",
    "hugetlbfs", "iso9660", "jfs", "mqueue", "msdos", "nilfs2", "nsfs", "ntfs3",
    "pipefs", "proc", "pstore", "ramfs", "reiserfs", "rootfs", "securityfs",
    "selinuxfs", "squashfs", "sysfs", "tmpfs", "tracefs", "ubifs", "udf", "ufs",
    "vfat", "xfs", "zfs",
})
"""File systems that this kernel answers for by itself, without a process and without
another machine. A system call on any other type may take for ever."""
# fmt: on

CTIMELESS_TYPES = frozenset(
    {"exfat", "hfs", "msdos", "vfat"}
    | {"cramfs", "erofs", "iso9660", "squashfs", "udf"}
)
"""Local file systems whose ctimes do not say what changed.

The first ones store no ctime: the kernel shows the mtime in its place, which any
program sets back (fat: "keep ctime identical to mtime in memory", Linux 6.0). The
others are images, with the times that their maker wanted: after another image was
mounted, everything may have changed, with the same device, inodes and ctimes.
"""

# fmt: off
PSEUDO_TYPES = frozenset({
    "autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs",
    "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "fuse.gvfsd-fuse",
    "fuse.lxcfs", "fuse.portal", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore",
    "resctrl", "rpc_pipefs", "securityfs", "selinuxfs", "smackfs", "sysfs", "tracefs",
})
"""File systems that nobody wants to have watched because they watch what they are
mounted in: the kernel or a program makes their files up, nobody is notified of their
changes, and scanning them takes long."""
# fmt: on

AUTOMOUNT = "autofs"
"""The type of a mount point where something is mounted as soon as anybody looks."""

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


def is_remote_type(type_: str) -> bool:
    """Whether the kernel misses what others change on this type of file system."""
    if type_ in REMOTE_TYPES:
        return True
    is_fuse = type_ == "fuse" or type_.startswith("fuse.")
    return is_fuse and type_ not in LOCAL_FUSE_TYPES


class Mounts:
    """The mounts a path can lead into."""

    def __init__(self, mounts: Iterable[Mount] = ()) -> None:
        # Of two mounts on one point the later one is on top.
        self._at = {mount.point: mount for mount in _reachable(list(mounts))}
        self._points = sorted(self._at)

    def __iter__(self) -> Iterator[Mount]:
        return (self._at[point] for point in self._points)

    def of(self, path: bytes) -> Mount:
        """The mount that `path` is on. `path` is absolute and free of symlinks."""
        while path not in self._at and path != b"/":
            path = parent(path)
        return self._at.get(path, NOWHERE)

    def points_below(self, path: bytes) -> tuple[bytes, ...]:
        """The mount points strictly below `path`, in order."""
        prefix = path.rstrip(b"/") + b"/"
        start = bisect_right(self._points, prefix)
        below = takewhile(lambda p: p.startswith(prefix), self._points[start:])
        return tuple(below)

    def pseudo_points(self) -> tuple[bytes, ...]:
        """The mount points of PSEUDO_TYPES, in order."""
        return tuple(
            point for point in self._points if self._at[point].type in PSEUDO_TYPES
        )

    def is_remote(self, mount: Mount) -> bool:
        """True if others can change files there without this kernel knowing."""
        return self.remote_part(mount) is not None

    def remote_part(self, mount: Mount) -> Mount | None:
        """`mount` if it is remote; for an overlay, the first remote mount under it."""
        parts = self._parts(mount)
        return next((part for part in parts if is_remote_type(part.type)), None)

    def is_local(self, mount: Mount) -> bool:
        """True if this kernel certainly answers for it by itself: it cannot hang.

        An unknown mount counts as local: the list of mounts may be missing.
        """
        return mount is NOWHERE or all(
            part.type in LOCAL_TYPES or part.type == "overlay" or part is NOWHERE
            for part in self._parts(mount)
        )

    def distant(self) -> Iterator[Mount]:
        """The mounts on which a system call may take for ever, because it, or one that
        a path to it leads through, is not local.

        The root counts as local whatever it is: programs and libraries are on it, so
        nothing goes on anyway while it does not answer.
        """
        above: list[bytes] = []
        for mount in self:
            inner = mount.point.startswith(tuple(above)) if above else False
            if mount.point != b"/" and (inner or not self.is_local(mount)):
                above.append(mount.point + b"/")
                yield mount

    def ctimeless(self, path: bytes, *, below: bool) -> Iterator[Mount]:
        """The mount that the path is on, and those below the path if `below`, as far as
        ctimes there do not say what changed."""
        points = self.points_below(path) if below else ()
        for mount in (self.of(path), *(self._at[point] for point in points)):
            if any(part.type in CTIMELESS_TYPES for part in self._parts(mount)):
                yield mount

    def _parts(self, mount: Mount) -> Iterator[Mount]:
        """`mount`; for an overlay, also those that its layers are on."""
        asked: set[bytes] = set()
        waiting = [mount]
        while waiting:
            mount = waiting.pop(0)
            yield mount
            # In a container the layers of its own overlay seem to lie on that
            # overlay: a circle, which ends here.
            if mount.type == "overlay" and mount.point not in asked:
                asked.add(mount.point)
                waiting += [self.of(layer) for layer in layers(mount)]


def layers(overlay: Mount) -> Iterator[bytes]:
    """The directories under an overlay, as far as its options name them in full."""
    for option in overlay.options:
        name, _, value = option.partition(b"=")
        # From Linux 6.5 on each lower one may be an option of its own, with a plus.
        if name in (b"lowerdir", b"lowerdir+", b"datadir+", b"upperdir"):
            for layer in _LAYER.findall(value):
                if layer.startswith(b"/"):
                    yield _LAYER_ESCAPE.sub(rb"\1", layer)


def parse(text: bytes) -> Iterator[Mount]:
    """Read mountinfo; skip lines that are not understood."""
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
    """The mounts that a path can lead to.

    After a mount on /a that follows one on /a/b, no path leads to the old /a/b any
    more, although mountinfo still lists it. A mount hides its siblings on the same
    parent that lie deeper, and everything that is mounted on those.
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
    """`mount`, the mount that it is on, and so on, up to the root or a circle."""
    seen: set[bytes] = set()
    while mount is not None and mount.id not in seen:
        seen.add(mount.id)
        yield mount
        mount = by_id.get(mount.parent)
