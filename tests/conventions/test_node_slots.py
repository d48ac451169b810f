"""Each slot of `Node` has one module that assigns it."""

import ast
from collections import defaultdict
from pathlib import Path

from gamin.core.model.node import Node
from tests.conventions.source import READS_ALL_MODULES, parsed

pytestmark = READS_ALL_MODULES

SOURCE = Path(__file__).parents[2] / "src" / "gamin"
CONSTRUCTORS = {"__init__", "alike", "restored"}
"""Functions of `node.py` that make a node and so assign slots of all owners."""
WRITERS = {
    "_names": {"core/model/node.py"},
    "audience": {"core/model/audiences.py"},
    "created_tick": {"core/model/tree.py"},
    "decision": {"core/coverage/method.py"},
    "deferred": {"core/model/tree.py"},
    "files": {"core/coverage/need.py"},
    "history": {"core/model/tree.py"},
    "interval": {"core/coverage/method.py"},
    "kernel_mask": {"core/coverage/method.py"},
    "latest_tick": {"core/model/tree.py"},
    "live_history": {"core/model/node.py"},
    "listed": {"core/model/tree.py"},
    "mask": {"core/coverage/need.py"},
    "moved_away": {"core/model/tree.py"},
    "name": {"core/model/tree.py"},
    "names": {"core/model/tree.py"},
    "number": {"core/model/tree.py"},
    "packed": {"core/model/node.py"},
    "packed_history": {"core/model/node.py"},
    "parent": {"core/model/tree.py"},
    "placed_tick": {"core/model/tree.py"},
    "path_waiters": {"core/resolve/path_walk.py"},
    "poll_mask": {"core/coverage/method.py"},
    "prefix": {"core/model/node.py"},
    "subscriptions": {"core/coverage/need.py"},
    "tombstones": {"core/model/tree.py"},
    "uniform": {"core/coverage/method.py"},
    "unreadable": {"core/coverage/registers.py"},
    "watches_named_entries_only": {"core/coverage/need.py"},
    # A directory has one kernel watch: by inotify, or by a mark of fanotify.
    # On a distant mount it says that a proxy is watched instead.
    "wd": {"backends/inotify.py", "backends/marks.py", "engine/distant.py"},
    "wd_poll": {"backends/polling.py"},
}
"""By slot; `names` is the property that assigns `_names` and `packed`, as `history`
assigns `live_history` and `packed_history`."""
OTHER_OWNERS = {"self", "cls", "subscription", "mark", "watch", "rules"}
"""Names of variables that hold no node, where an attribute has a slot's name."""


def assigned(module: Path) -> set[str]:
    """The slots of a node that the module assigns, constructors of `Node` aside."""
    found: set[str] = set()
    is_node_module = module == SOURCE / "core/model/node.py"

    def visit(tree: ast.AST) -> None:
        for node in ast.iter_child_nodes(tree):
            is_constructor = (
                isinstance(node, ast.FunctionDef) and node.name in CONSTRUCTORS
            )
            if is_node_module and is_constructor:
                continue
            if isinstance(node, ast.Attribute) and isinstance(
                node.ctx, ast.Store | ast.Del
            ):
                owner = node.value
                name = owner.id if isinstance(owner, ast.Name) else ""
                if is_node_module or name not in OTHER_OWNERS:
                    found.add(node.attr)
            visit(node)

    visit(parsed(module))
    return found & WRITERS.keys()


def modules() -> list[Path]:
    folders = ("core", "engine", "backends", "daemon")
    return sorted(
        path for folder in folders for path in (SOURCE / folder).rglob("*.py")
    )


def test_every_slot_has_its_writer_listed() -> None:
    assert WRITERS.keys() - {"history", "names"} == set(Node.__slots__)


def test_each_slot_of_a_node_is_assigned_by_its_owner_alone() -> None:
    writers: dict[str, set[str]] = defaultdict(set)
    for module in modules():
        for slot in assigned(module):
            writers[slot].add(str(module.relative_to(SOURCE)))
    assert dict(writers) == WRITERS
