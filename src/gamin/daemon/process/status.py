"""What the server says of itself: figures for `gamin status`, and a dump as text."""

from collections.abc import Iterable, Iterator

from gamin.core.model.node import Node
from gamin.core.monitor import Monitor
from gamin.paths import printable


def watches(monitor: Monitor) -> dict[str, int]:
    """How the directories are noticed; `busy` counts paths reported once a second."""
    nodes = list(_watched(monitor))
    registers = monitor.coverage.registers
    return {
        "kernel": sum(node.wd >= 0 for node in nodes),
        "polled": sum(node.wd_poll >= 0 for node in nodes),
        "busy": len(monitor.flow.busy),
        "missing": sum(s.node is None for s in monitor.subscriptions),
        "no_room": len(registers.over_quota),
        "unreadable": len(registers.unreadable),
    }


def recoveries(monitor: Monitor) -> dict[str, int]:
    recovery = monitor.recovery
    return {"overflows": recovery.overflows, "rescans": recovery.rescans}


def _watched(monitor: Monitor) -> Iterator[Node]:
    return (node for node in monitor.tree.root.subtree() if node.mask)


def dump(monitor: Monitor, clients: Iterable[str]) -> str:
    """The whole state as text: clients, subscriptions, directories, what is busy.

    Paths are shown with control characters escaped.
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
        node, name = resource[:2] if isinstance(resource, tuple) else (resource, b"")
        hot = " polled" if busy.is_polled else ""
        lines.append(f"  {printable(node.path_prefix() + name)}{hot}")
    return "\n".join(lines) + "\n"


def _described(monitor: Monitor, node: Node) -> str:
    ways = []
    if node.wd >= 0:
        ways.append(f"kernel watch {node.wd}")
    if node.wd_poll >= 0:
        ways.append(f"polled every {node.interval:g} s")
    if node in monitor.coverage.registers.over_quota:
        ways.append("for want of room")
    if node in monitor.coverage.registers.unreadable:
        ways.append("unreadable")
    names = f"{len(node.names)} names" if node.listed else "passed through"
    return f"{printable(node.path())}: {', '.join(ways) or 'not watched'}; {names}"
