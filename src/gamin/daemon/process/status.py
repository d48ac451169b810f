"""The server's own state: figures for `gamin status`, and a dump as text."""

import os
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress

from gamin.backends.base import Usage
from gamin.core.model.node import Node
from gamin.core.monitor import Monitor
from gamin.core.throttle.flow_control import Resource
from gamin.daemon.process.mount_threads import Stalled
from gamin.paths import printable
from gamin.system import inotify


def watcher_name(facilities: Iterable[Usage]) -> str:
    """The kernel facility that reports changes, as Watchman's `watcher` field names it.

    "inotify" where both facilities are open, and "polling" where none is.
    """
    names = [facility for facility, *_ in facilities]
    return "inotify" if "inotify" in names else names[0] if names else "polling"


MAX_BUSY_PATHS = 20
"""Busy paths of which the name is reported."""


def watches(monitor: Monitor, clients: AbstractSet[object]) -> dict[str, int]:
    """How many directories each method watches.

    `busy` counts the paths that are reported once per interval, `missing` the
    subscriptions of `clients` whose path does not exist (the server itself waits for
    configuration that may never exist), `no_room` the directories that are polled
    because the kernel's quota is used up, `unlisted` those that could not be listed yet
    for want of descriptors or memory, or because of an input error.
    """
    nodes = list(_watched(monitor))
    registers = monitor.coverage.registers
    return {
        "kernel": sum(node.wd >= 0 for node in nodes),
        "polled": sum(node.wd_poll >= 0 for node in nodes),
        "busy": len(monitor.flow.busy),
        "missing": sum(
            s.node is None and s.client in clients for s in monitor.subscriptions
        ),
        "no_room": len(registers.over_quota),
        "unreadable": len(registers.unreadable),
        "unlisted": len(registers.unlisted),
    }


def polled_for(monitor: Monitor) -> dict[str, int]:
    """How many directories are polled only for a reason that may pass, by reason."""
    registers = monitor.coverage.registers
    return {
        "no_room": len(registers.over_quota),
        "many_entries": len(registers.polled_for_churn),
        "many_writes": len(registers.polled_for_writes),
    }


def busy_paths(monitor: Monitor) -> list[dict[str, object]]:
    """What changes all the time and is therefore reported once per interval: the paths
    with most events first."""
    most = sorted(
        monitor.flow.busy.items(),
        key=lambda item: (item[1].kernel_events, item[1].last),
        reverse=True,
    )
    return [
        {"path": os.fsdecode(_path_of(resource)), "polled": busy.is_polled}
        for resource, busy in most[:MAX_BUSY_PATHS]
    ]


def _path_of(resource: Resource) -> bytes:
    if isinstance(resource, tuple):
        return resource[0].path_prefix() + resource[1]
    return resource.path()


def recoveries(monitor: Monitor) -> dict[str, int]:
    recovery = monitor.recovery
    return {
        "overflows": recovery.overflows,
        "rescans": recovery.rescans,
        "rescanning": recovery.is_rescanning,
    }


class Limits:
    """What the kernel allows this user, as it could be read last.

    A server without a free descriptor must still answer `gamin status`.
    """

    def __init__(self) -> None:
        self._known = {"max_user_watches": 0, "max_user_instances": 0}
        self.read()

    def read(self) -> dict[str, int]:
        for name in self._known:
            with suppress(OSError):
                self._known[name] = inotify.limit(name)
        return self._known


def stalled(monitor: Monitor, mounts: Iterable[Stalled]) -> list[dict[str, object]]:
    """The mounts that do not answer, for how long, and why."""
    policy = monitor.coverage.method.policy
    return [
        {
            "mount": os.fsdecode(each.point),
            "type": mount.type if (mount := policy.distant_mount(each.point)) else "",
            "seconds": round(each.seconds, 1),
            "reason": each.reason,
        }
        for each in mounts
    ]


def _watched(monitor: Monitor) -> Iterator[Node]:
    return (node for node in monitor.tree.root.subtree() if node.mask)


def dump(monitor: Monitor, clients: Iterable[str]) -> str:
    """The whole state as text: clients, subscriptions, directories, busy paths.

    Control characters in paths are escaped.
    """
    lines = [f"tick {monitor.tree.tick}, clocks from {monitor.tree.floor} on"]
    lines += ["", "clients:", *(f"  {client}" for client in clients)]
    lines += ["", "subscriptions:"]
    for one in sorted(monitor.subscriptions, key=lambda s: (str(s.client), s.path)):
        where = "missing"
        if one.node is not None:
            where = printable(one.node.path_prefix() + (one.entry or b""))
        asked = f"{one.scope.name.lower()} {printable(one.path)}"
        lines.append(f"  {one.client}:{one.client_key} {asked} -> {where}")
    lines += ["", "directories:"]
    lines += [f"  {_described(monitor, node)}" for node in _watched(monitor)]
    lines += ["", "busy:"]
    for resource, busy in monitor.flow.busy.items():
        hot = " polled" if busy.is_polled else ""
        lines.append(f"  {printable(_path_of(resource))}{hot}")
    return "\n".join(lines) + "\n"


def _described(monitor: Monitor, node: Node) -> str:
    methods = []
    if node.wd >= 0:
        methods.append(f"kernel watch {node.wd}")
    if node.wd_poll >= 0:
        methods.append(f"polled every {node.interval:g} s")
    if node in monitor.coverage.registers.over_quota:
        methods.append("no kernel watch was left")
    if node in monitor.coverage.registers.unreadable:
        methods.append("unreadable")
    names = f"{len(node.entries)} names" if node.listed else "names not listed"
    return f"{printable(node.path())}: {', '.join(methods) or 'not watched'}; {names}"
