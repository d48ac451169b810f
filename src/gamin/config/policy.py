"""Decides which method detects changes of a path, and says why.

The rules come from `gaminrc` and the file systems from `mounts`; `core.coverage` does
what is decided here.
"""

import re
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from gamin.config.gaminrc import BUILT_IN, FilesystemRule, Method, PathRule, Rule
from gamin.config.mounts import NETWORK_TYPES, REMOTE_TYPES, Mount, Mounts
from gamin.config.path_glob import matches
from gamin.paths import printable

POLL_SECONDS = 1.0
"""The usual polling interval in seconds, as in the original."""

BUILT_IN_PATHS = (
    PathRule(b"/dev/shm", Method.KERNEL),
    PathRule(b"/dev/shm/*", Method.KERNEL),
    *(
        PathRule(pattern, Method.POLL)
        for root in (b"/proc", b"/sys", b"/dev")
        for pattern in (root, root + b"/*")
    ),
)
"""Path rules that apply after those of the files.

The kernel never reports changes of files that it makes up on reading, so these are
polled. /dev/shm is an ordinary tmpfs and comes first, since the first rule that matches
applies. The original also polls /mnt and /media, because dnotify kept directories open
and disks from being unmounted; inotify does not.
"""

_EXEMPTIONS = [rule for rule in BUILT_IN_PATHS if rule.method is Method.KERNEL]

MADE_UP_TYPES = frozenset(
    ("proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "configfs")
)
"""File systems whose content the kernel makes up on reading, and never reports."""


def _remote_seconds(type_: str) -> float:
    """The polling interval: the original's for novfs and nfs; other networks as nfs."""
    if type_ == "novfs":
        return 30.0
    return 5.0 if type_ in NETWORK_TYPES else POLL_SECONDS


ANY_FUSE = "fuse"
"""The type whose rule also applies to each type of FUSE that has none of its own, if
others can change files there."""

BUILT_IN_FILESYSTEMS = tuple(
    FilesystemRule(type_, Method.POLL, _remote_seconds(type_))
    for type_ in sorted(REMOTE_TYPES | {ANY_FUSE})
)


class Decision(NamedTuple):
    """How changes of one path are detected."""

    method: Method
    interval: float
    """The polling interval in seconds, should it be polled now or later."""
    also_kernel: bool
    """Polling detects changes by other machines; the kernel reports those of this
    one."""
    why: str
    """The reason, to be shown; printable, without a full stop."""
    distant: Mount | None = None
    """The mount that the path is on, if a system call there may take for ever."""


class Policy:
    """The rules in force, and the decision for each path."""

    def __init__(
        self, rules: Iterable[Rule], mounts: Mounts, poll_only: bool = False
    ) -> None:
        """`rules` are those of the files in their order; built-in ones are added."""
        rules = tuple(rules)
        self._paths = [r for r in rules if isinstance(r, PathRule)]
        self._paths += BUILT_IN_PATHS
        self._filesystems: dict[str, FilesystemRule] = {}
        for rule in (*BUILT_IN_FILESYSTEMS, *rules):
            if isinstance(rule, FilesystemRule):
                self._set(rule)
        self._mounts = mounts
        self._poll_only = poll_only
        self._distant = {m.point: m for m in mounts.distant()}

    @property
    def mounts(self) -> Mounts:
        return self._mounts

    def in_force(self) -> tuple[PathRule | FilesystemRule, ...]:
        """Path rules in the order of precedence, then one rule per file system."""
        types = sorted(self._filesystems)
        return (*self._paths, *(self._filesystems[type_] for type_ in types))

    def decide(self, path: bytes, real: bytes | None = None) -> Decision:
        """How to detect changes of `path`.

        Path rules match `path` as the client requested it. Its file system is that of
        `real`, the same path with symlinks followed.
        """
        mount = self._mounts.of(path if real is None else real)
        decision = self._by_rules(path, mount)
        if self._poll_only and decision.method is not Method.NONE:
            why = "the server runs with --pollonly"
            decision = Decision(Method.POLL, decision.interval, False, why)
        distant = self._distant.get(mount.point)
        return decision if distant is None else decision._replace(distant=distant)

    @property
    def distant_points(self) -> Set[bytes]:
        """Where distant mounts are: a system call there may take for ever."""
        return self._distant.keys()

    def distant_mount(self, path: bytes) -> Mount | None:
        """The distant mount that `path`, which is free of symlinks, is on."""
        return self._distant.get(self._mounts.of(path).point)

    def file_system(self, path: bytes) -> str:
        """The type of the file system that `path`, free of symlinks, is on."""
        return self._mounts.of(path).type

    def _by_rules(self, path: bytes, mount: Mount) -> Decision:
        remote = self._mounts.remote_part(mount)
        rule = self._filesystem_rule(mount, remote)
        interval = (rule.interval if rule else None) or POLL_SECONDS
        by_path = self._path_rule(path)
        if remote is not None and by_path in _EXEMPTIONS:
            by_path = None  # what is mounted in /dev/shm is no part of that tmpfs
        if by_path is not None:
            why = f"{by_path} ({by_path.origin})"
            return Decision(by_path.method, interval, False, why)
        if rule is not None:
            mixed = rule.method is Method.POLL and remote is not None
            return Decision(rule.method, interval, mixed, _why(rule, mount))
        why = f"the file system is {printable(mount.type)}"
        return Decision(Method.KERNEL, interval, False, why)

    def kernel_reports_names(self, path: bytes) -> bool:
        """Whether the kernel reports creations and deletions in a directory.

        Matters for directories that only lead to a watched path: a watch on a file in
        /dev/shm must not cause /dev to be polled every second, whatever rule /dev has.
        """
        mount = self._mounts.of(path)
        mute = mount.type in MADE_UP_TYPES or self._mounts.is_remote(mount)
        return not (mute or self._poll_only)

    def mount_points(self) -> frozenset[bytes]:
        """All mount points."""
        return frozenset(mount.point for mount in self._mounts)

    def pseudo_points(self) -> frozenset[bytes]:
        """The mount points at which every tree ends (`mounts.PSEUDO_TYPES`)."""
        return frozenset(self._mounts.pseudo_points())

    def remounted(self, before: "Policy") -> list[bytes]:
        """The points where another mount is reached than `before`, upper ones first.

        Something may be mounted over a mount: then only the mount's number differs.
        """
        differs = set(before._reached()) ^ set(self._reached())
        return sorted({point for point, _ in differs})

    def _reached(self) -> Iterator[tuple[bytes, bytes]]:
        return ((mount.point, mount.id) for mount in self._mounts)

    def is_uniform_below(self, path: bytes) -> bool:
        """True if everything below `path` certainly has the same decision."""
        if self._mounts.points_below(path):
            return False
        prefix = path.rstrip(b"/") + b"/"
        for rule in self._paths:
            start, *wild = re.split(rb"[*?]", rule.pattern, maxsplit=1)
            if wild == [b""] and rule.pattern.endswith(b"*"):
                if prefix.startswith(start):
                    return matches(rule.pattern, path)  # and everything below it
            elif wild and prefix.startswith(start):
                return False
            if start.startswith(prefix):
                return False
        return True

    def _set(self, rule: FilesystemRule) -> None:
        """Replace an earlier rule, but keep its interval if this one has none."""
        before = self._filesystems.get(rule.type)
        if rule.interval is None and before is not None:
            rule = FilesystemRule(rule.type, rule.method, before.interval, rule.origin)
        self._filesystems[rule.type] = rule

    def _path_rule(self, path: bytes) -> PathRule | None:
        return next((r for r in self._paths if matches(r.pattern, path)), None)

    def _filesystem_rule(
        self, mount: Mount, remote: Mount | None
    ) -> FilesystemRule | None:
        """The rule of its type; else, for an overlay, that of the remote layer."""
        own = self._filesystems.get(mount.type)
        if own is not None or remote is None:
            return own
        return self._filesystems.get(remote.type) or self._filesystems.get(ANY_FUSE)


def _why(rule: FilesystemRule, mount: Mount) -> str:
    shown = printable(mount.type)
    if rule.type != mount.type and not mount.type.startswith("fuse."):
        shown = f"{shown} over {printable(rule.type)}"
    if rule.origin is not BUILT_IN:
        return f"the file system is {shown}: {rule} ({rule.origin})"
    return f"the file system is {shown}, where the kernel tells only local changes"
