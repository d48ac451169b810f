"""What the server takes at rest: its memory and its descriptors.

They must not depend on how much has happened, only on what is watched now.
"""

import os
from pathlib import Path
from typing import NamedTuple


class Footprint(NamedTuple):
    pid: int
    operations: int
    """Acts of the programs until then."""
    descriptors: int
    memory: int
    """Bytes of its own."""

    def __str__(self) -> str:
        return f"{self.descriptors} descriptors, {self.memory / 1e6:.1f} MB"


def footprint(pid: int, operations: int) -> Footprint:
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    memory = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Private_Clean", "Private_Dirty"):
            memory += int(rest.split()[0]) * 1024
    return Footprint(pid, operations, descriptors, memory)


def summary(prints: list[Footprint]) -> str:
    """The last server at its first rest and at its last, and the most of all."""
    if not prints:
        return "the server was never at rest"
    last = [each for each in prints if each.pid == prints[-1].pid]
    served = last[-1].operations - last[0].operations
    most = max(each.memory for each in prints)
    return (
        f"the last server: {last[0]} at first, {last[-1]} after {served} operations; "
        f"at most {max(each.descriptors for each in prints)} descriptors, "
        f"{most / 1e6:.1f} MB"
    )
