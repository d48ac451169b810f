"""Whatever happens, a client that applies what `settle` reports knows what is there."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gamin.events import Event
from testkit.beliefs.belief import Belief
from tests.unit.protocol.watchman.client.test_settling import (
    Scene,
    apply,
    changed,
    created,
    deleted,
    moved,
)

NAMES = ["a", "d", "d/a", "e", "e/a", "e/d", "e/d/a"]


class Disk:
    """A tree below /r, and the events that a server has of what is done to it."""

    def __init__(self) -> None:
        self.there: dict[str, bool] = {"/r/a": False, "/r/d": True, "/r/d/a": False}

    def do(self, what: str, name: str, other: str) -> list[Event]:
        path, dest, there = f"/r/{name}", f"/r/{other}", self.there
        parent = path.rpartition("/")[0]
        if what == "leave":
            return []
        if what in ("file", "directory"):
            if path in there or not (parent == "/r" or there.get(parent)):
                return []
            there[path] = what == "directory"
            return [created(path, is_dir=there[path])]
        if path not in there:
            return []
        if what == "write":
            return [] if there[path] else [changed(path)]
        below = [each for each in there if each.startswith(path + "/")]
        if what == "delete":
            gone = [*sorted(below, reverse=True), path]
            return [deleted(each, is_dir=there.pop(each)) for each in gone]
        return self._rename(path, dest, below)

    def _rename(self, path: str, dest: str, below: list[str]) -> list[Event]:
        there, above = self.there, dest.rpartition("/")[0]
        is_blocked = dest == path or dest.startswith(path + "/")
        if is_blocked or not (above == "/r" or there.get(above)):
            return []
        if dest in there and (there[dest] or there[path]):
            return []
        events = [deleted(dest)] if dest in there else []
        is_dir = there[path]
        for each in [path, *below]:
            there[dest + each[len(path) :]] = there.pop(each)
        return [*events, moved(path, dest, is_dir=is_dir)]


ACTS = st.tuples(
    st.sampled_from(
        ["file", "directory", "write", "delete", "rename", "rename", "leave"]
    ),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from([None, None, 0.0, 0.1, 0.5, 1.1]),
)
"""What is done, to which names, and how long after the act before; None: both are
reported in one batch. The client may leave, and go on from its clock."""


@settings(max_examples=300)
@given(acts=st.lists(ACTS, max_size=30))
def test_whoever_applies_what_is_yielded_knows_what_is_there(
    acts: list[tuple[str, str, str, float | None]],
) -> None:
    scene, disk, belief = Scene(), Disk(), Belief()
    batch: list[Event] = []
    is_late = False
    for path, is_dir in disk.there.items():
        belief.created(path.encode(), is_dir)
    for what, name, other, pause in acts:
        if pause is not None and batch:
            scene.happen(*batch, at=scene.now + pause, is_certain=not is_late)
            batch.clear()
            is_late = False
        batch += disk.do(what, name, other)
        if what == "leave":
            scene.come_back()
            is_late = True
    scene.happen(*batch, at=scene.now, is_certain=not is_late)
    for _, event in scene.finished():
        apply(belief, event)
    found = {path.decode(): is_dir for path, is_dir in belief.entries().items()}
    assert found == {path[1:]: is_dir for path, is_dir in disk.there.items()}
