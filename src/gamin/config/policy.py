"""Which method for which path, and why.

Decides only: the rules come from `core.gaminrc`, the file systems from
`core.mounts`, and whoever asks does the watching.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gamin.config.gaminrc import BUILT_IN, FilesystemRule, Method, PathRule, Rule
from gamin.config.mounts import NETWORK_TYPES, REMOTE_TYPES, Mount, Mounts
from gamin.config.path_glob import matches
from gamin.paths import printable

POLL_SECONDS = 1.0  # between two looks; the original's tick

# The original polls /mnt, /media, /dev and /proc, because dnotify kept directories
# open and so kept disks from being unmounted; inotify does not. Polled here is what
# the kernel makes up as it is read and hence never reports. /dev/shm is an ordinary
# tmpfs and comes first, since the first rule that matches counts.
BUILT_IN_PATHS = (
    PathRule(b"/dev/shm", Method.KERNEL),
    PathRule(b"/dev/shm/*", Method.KERNEL),
    *(
        PathRule(pattern, Method.POLL)
        for root in (b"/proc", b"/sys", b"/dev")
        for pattern in (root, root + b"/*")
    ),
)


MADE_UP_TYPES = frozenset(
    ("proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "configfs")
)
"""What the kernel makes up when somebody looks, so nothing is reported."""


def _remote_seconds(type_: str) -> float:
    """The original's numbers for novfs and nfs; other networks are like nfs."""
    if type_ == "novfs":
        return 30.0
    return 5.0 if type_ in NETWORK_TYPES else POLL_SECONDS


BUILT_IN_FILESYSTEMS = tuple(
    FilesystemRule(type_, Method.POLL, _remote_seconds(type_))
    for type_ in sorted(REMOTE_TYPES)
)


class Decision(NamedTuple):
    """How one path is watched."""

    method: Method
    interval: float
    """Seconds between two looks, if it is polled now or later."""
    also_kernel: bool
    """Polled for what others change; what this machine changes the kernel tells."""
    why: str
    """For people; printable, without a full stop."""


class Policy:
    """The rules in force, and what they say about a path."""

    def __init__(
        self, rules: Iterable[Rule], mounts: Mounts, poll_only: bool = False
    ) -> None:
        """`rules`: those of the files in their order, without the built-in ones."""
        rules = tuple(rules)
        self._paths = [r for r in rules if isinstance(r, PathRule)]
        self._paths += BUILT_IN_PATHS
        self._filesystems: dict[str, FilesystemRule] = {}
        for rule in (*BUILT_IN_FILESYSTEMS, *rules):
            if isinstance(rule, FilesystemRule):
                self._set(rule)
        self._mounts = mounts
        self._poll_only = poll_only

    def in_force(self) -> tuple[PathRule | FilesystemRule, ...]:
        """Path rules in the order they are asked, then one rule per file system."""
        types = sorted(self._filesystems)
        return (*self._paths, *(self._filesystems[type_] for type_ in types))

    def decide(self, path: bytes, real: bytes | None = None) -> Decision:
        """`path` is as requested, which is what path rules match; `real` is where it
        leads with symlinks followed, which is what has a file system."""
        decision = self._by_rules(path, self._mounts.of(path if real is None else real))
        if not self._poll_only or decision.method is Method.NONE:
            return decision
        why = "the server runs with --pollonly"
        return Decision(Method.POLL, decision.interval, False, why)

    def _by_rules(self, path: bytes, mount: Mount) -> Decision:
        remote = self._mounts.remote_part(mount)
        rule = self._filesystem_rule(mount, remote)
        interval = (rule.interval if rule else None) or POLL_SECONDS
        by_path = self._path_rule(path)
        if by_path is not None:
            why = f"{by_path} ({by_path.origin})"
            return Decision(by_path.method, interval, False, why)
        if rule is not None:
            mixed = rule.method is Method.POLL and remote is not None
            return Decision(rule.method, interval, mixed, _why(rule, mount))
        why = f"the file system is {printable(mount.type)}"
        return Decision(Method.KERNEL, interval, False, why)

    def kernel_tells_names(self, path: bytes) -> bool:
        """Whether the kernel tells of the entries of a directory that come and go,
        whatever a rule says of what is in them. Asked for directories that are only
        passed through: nobody shall be woken every second for /dev because of a file
        in /dev/shm."""
        mount = self._mounts.of(path)
        mute = mount.type in MADE_UP_TYPES or self._mounts.is_remote(mount)
        return not (mute or self._poll_only)

    def mount_points(self) -> frozenset[bytes]:
        """Where something is mounted."""
        return frozenset(mount.point for mount in self._mounts)

    def remounted(self, before: "Policy") -> list[bytes]:
        """The points where another mount is reached than `before`, upper ones first.

        Something may be mounted over a mount: then only the mount's number differs.
        """
        differs = set(before._reached()) ^ set(self._reached())
        return sorted({point for point, _ in differs})

    def _reached(self) -> Iterator[tuple[bytes, bytes]]:
        return ((mount.point, mount.id) for mount in self._mounts)

    def is_uniform_below(self, path: bytes) -> bool:
        """True if everything below `path` is sure to be decided like `path`."""
        if self._mounts.points_below(path):
            return False
        prefix = path.rstrip(b"/") + b"/"
        for rule in self._paths:
            start, *wild = re.split(rb"[*?]", rule.pattern, maxsplit=1)
            if wild == [b""] and rule.pattern.endswith(b"*"):
                if prefix.startswith(start):
                    return matches(rule.pattern, path)  # as is everything below
            elif wild and prefix.startswith(start):
                return False
            if start.startswith(prefix):
                return False
        return True

    def _set(self, rule: FilesystemRule) -> None:
        """The later replaces the earlier, but keeps its seconds if it names none."""
        before = self._filesystems.get(rule.type)
        if rule.interval is None and before is not None:
            rule = FilesystemRule(rule.type, rule.method, before.interval, rule.origin)
        self._filesystems[rule.type] = rule

    def _path_rule(self, path: bytes) -> PathRule | None:
        return next((r for r in self._paths if matches(r.pattern, path)), None)

    def _filesystem_rule(
        self, mount: Mount, remote: Mount | None
    ) -> FilesystemRule | None:
        """Its own, else for an overlay that of the remote file system under it."""
        own = self._filesystems.get(mount.type)
        if own is not None or remote is None:
            return own
        return self._filesystems.get(remote.type)


def _why(rule: FilesystemRule, mount: Mount) -> str:
    shown = printable(mount.type)
    if rule.type != mount.type:
        shown = f"{shown} over {printable(rule.type)}"
    if rule.origin is not BUILT_IN:
        return f"the file system is {shown}: {rule} ({rule.origin})"
    return f"the file system is {shown}, where the kernel tells only local changes"
