"""Paths are reported when they are quiet, whatever the server keeps back meanwhile."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.activity import NOTHING_MORE, Activity
from gamin.protocol.watchman.client.settling import MAX_SPANS, Settling
from testkit.beliefs.belief import Belief

SPAN = 1.0
Server = Callable[[str, float], Activity]
"""What a server says of a path at a time."""


def quiet(path: str, now: float) -> Activity:
    return NOTHING_MORE


def created(path: str, *, is_dir: bool = False) -> Event:
    return Event(Kind.CREATED, path, is_dir=is_dir)


def changed(path: str, *, is_dir: bool = False) -> Event:
    return Event(Kind.CHANGED, path, is_dir=is_dir)


def deleted(path: str, *, is_dir: bool = False) -> Event:
    return Event(Kind.DELETED, path, is_dir=is_dir)


def moved(path: str, dest: str, *, is_dir: bool = False) -> Event:
    return Event(Kind.MOVED, path, dest, is_dir)


class Scene:
    """A settling of /r and what it yields, each event with its time."""

    def __init__(self, server: Server = quiet) -> None:
        self.settling = Settling(SPAN, {"/r"}.__contains__)
        self.server = server
        self.now = 0.0
        self.batches = 0
        self.yielded: list[tuple[float, Event]] = []

    @property
    def clock(self) -> str | None:
        return self.settling.clock(str(self.batches))

    def happen(self, *events: Event, at: float) -> None:
        self.run(until=at)
        before, self.batches = str(self.batches), self.batches + 1
        self._yield(self.settling.add(events, before, self.now))

    def run(self, *, until: float) -> None:
        """Answer all questions on the way."""
        while (due := self.settling.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            found, asked = self.settling.due(self.now)
            self._yield(found)
            answers = [self.server(path, self.now) for path in asked]
            self._yield(self.settling.answered(asked, answers, self.now))
        self.now = until

    def _yield(self, events: Sequence[Event]) -> None:
        self.yielded += [(round(self.now, 3), event) for event in events]

    def finished(self) -> list[tuple[float, Event]]:
        self.run(until=self.now + 10 * MAX_SPANS * SPAN)
        assert self.settling.is_empty
        return self.yielded


def test_each_path_is_reported_by_itself_after_its_own_silence() -> None:
    scene = Scene()
    scene.happen(created("/r/a"), at=0)
    scene.happen(created("/r/b"), at=0.6)
    scene.happen(changed("/r/a"), at=0.9)
    assert scene.finished() == [(1.6, created("/r/b")), (1.9, created("/r/a"))]


def test_a_path_that_never_rests_is_reported_after_fifty_spans() -> None:
    scene = Scene()
    for tenth in range(10 * MAX_SPANS + 5):
        scene.happen(changed("/r/a"), at=tenth / 10)
    assert scene.finished() == [(50.0, changed("/r/a")), (51.4, changed("/r/a"))]


def busy_until(last_write: float, next_report: float) -> Server:
    """A server that defers the report of the last write until `next_report`."""

    def answer(path: str, now: float) -> Activity:
        written = min(now, last_write)
        return Activity(now - written, written, now < next_report, 0.0)

    return answer


def test_what_flow_control_keeps_back_is_no_silence() -> None:
    scene = Scene(busy_until(3.2, 4.0))
    scene.happen(created("/r/a"), at=0)
    assert scene.finished() == [(4.2, created("/r/a"))]


def test_the_late_report_of_what_was_reported_is_not_yielded_again() -> None:
    scene = Scene(busy_until(3.2, 4.5))
    scene.happen(created("/r/a"), at=0)
    scene.happen(changed("/r/a"), at=4.5)
    assert scene.finished() == [(4.2, created("/r/a"))]


def test_a_write_after_the_release_is_reported_though_the_last_report_was_late() -> (
    None
):
    scene = Scene(busy_until(3.2, 4.5))
    scene.happen(created("/r/a"), at=0)
    scene.run(until=4.3)
    scene.server = busy_until(4.4, 4.5)
    scene.happen(changed("/r/a"), at=4.5)
    assert scene.finished() == [(4.2, created("/r/a")), (5.4, changed("/r/a"))]


def test_a_polled_path_is_quiet_when_a_poll_said_so() -> None:
    scene = Scene(lambda path, now: Activity(None, None, False, 2.0))
    scene.happen(created("/r/a"), at=0)
    scene.happen(changed("/r/a"), at=2)
    assert scene.finished() == [(5.0, created("/r/a"))]


def test_a_question_that_a_lost_server_did_not_answer_is_asked_again() -> None:
    settling = Settling(SPAN, {"/r"}.__contains__)
    settling.add([created("/r/a")], None, 0.0)
    assert settling.due(1.0) == ([], ["/r/a"])
    assert settling.due(1.5) == ([], [])
    assert settling.answered(["/r/a"], None, 2.0) == []
    assert settling.due(2.0) == ([], ["/r/a"])
    assert settling.answered(["/r/a"], [NOTHING_MORE], 2.0) == [created("/r/a")]


def test_an_answer_from_before_a_change_is_not_valid_for_it() -> None:
    settling = Settling(SPAN, {"/r"}.__contains__)
    settling.add([created("/r/a")], None, 0.0)
    assert settling.due(1.0) == ([], ["/r/a"])
    settling.add([changed("/r/a")], None, 1.1)
    answer = Activity(1.0, 0.0, False, 0.0)
    assert settling.answered(["/r/a"], [answer], 1.2) == []
    assert settling.due(2.0) == ([], [])
    assert settling.due(2.1) == ([], ["/r/a"])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([created("/r/a"), deleted("/r/a")], [], id="short-lived"),
        pytest.param(
            [deleted("/r/a"), created("/r/a")], [changed("/r/a")], id="replaced"
        ),
        pytest.param(
            [created("/r/t"), changed("/r/t"), moved("/r/t", "/r/a")],
            [created("/r/a")],
            id="written under another name",
        ),
        pytest.param(
            [created("/r/t"), deleted("/r/a"), moved("/r/t", "/r/a")],
            [changed("/r/a")],
            id="saved by a rename",
        ),
        pytest.param(
            [moved("/r/a", "/r/b"), moved("/r/b", "/r/c"), changed("/r/c")],
            [moved("/r/a", "/r/c"), changed("/r/c")],
            id="renamed twice",
        ),
        pytest.param(
            [moved("/r/a", "/r/b"), moved("/r/b", "/r/a")],
            [changed("/r/a")],
            id="renamed and back",
        ),
        pytest.param(
            [moved("/r/a", "/r/b"), deleted("/r/b")],
            [deleted("/r/a")],
            id="renamed and deleted",
        ),
        pytest.param(
            [moved("/r/a", "/r/b"), created("/r/a"), deleted("/r/b")],
            [changed("/r/a")],
            id="renamed, replaced and deleted",
        ),
        pytest.param(
            [moved("/r/a", "/r/b"), created("/r/a")],
            [moved("/r/a", "/r/b"), created("/r/a")],
            id="another one has the old name",
        ),
        pytest.param(
            [moved("/r/a", "/r/b"), deleted("/r/b"), moved("/r/c", "/r/b")],
            [moved("/r/c", "/r/b"), deleted("/r/a")],
            id="two renamed to one name",
        ),
    ],
)
def test_changes_of_a_span_are_reported_as_what_they_amount_to(
    events: list[Event], expected: list[Event]
) -> None:
    scene = Scene()
    scene.happen(*events, at=0)
    assert [event for _, event in scene.finished()] == expected


def test_a_new_directory_is_reported_before_what_is_in_it() -> None:
    scene = Scene()
    scene.happen(created("/r/d", is_dir=True), at=0)
    scene.happen(created("/r/d/f"), at=0.1)
    scene.happen(changed("/r/d", is_dir=True), at=0.2)
    assert [event for _, event in scene.finished()] == [
        created("/r/d", is_dir=True),
        created("/r/d/f"),
    ]


def test_a_renamed_directory_is_reported_at_once_and_its_entries_later() -> None:
    scene = Scene()
    scene.happen(changed("/r/d/f"), at=0)
    scene.happen(moved("/r/d", "/r/e", is_dir=True), at=0.5)
    assert scene.finished() == [
        (0.5, moved("/r/d", "/r/e", is_dir=True)),
        (1.0, changed("/r/e/f")),
    ]


def test_a_new_directory_that_is_renamed_is_created_by_its_last_name() -> None:
    scene = Scene()
    scene.happen(created("/r/d", is_dir=True), created("/r/d/f"), at=0)
    scene.happen(moved("/r/d", "/r/e", is_dir=True), at=0.5)
    assert [event for _, event in scene.finished()] == [
        created("/r/e", is_dir=True),
        created("/r/e/f"),
    ]


def test_a_question_about_a_path_that_was_renamed_meanwhile_is_asked_again() -> None:
    settling = Settling(SPAN, {"/r"}.__contains__)
    settling.add([changed("/r/d/f")], None, 0.0)
    assert settling.due(1.0) == ([], ["/r/d/f"])
    settling.add([moved("/r/d", "/r/e", is_dir=True)], None, 1.1)
    assert settling.answered(["/r/d/f"], [NOTHING_MORE], 1.2) == []
    assert settling.due(1.2) == ([], ["/r/e/f"])


def test_the_watched_directory_is_reported_at_once_and_takes_the_rest_along() -> None:
    scene = Scene()
    scene.happen(created("/r/a"), moved("/r/b", "/r/c"), at=0)
    scene.happen(deleted("/r", is_dir=True), at=0.5)
    scene.happen(created("/r", is_dir=True), at=0.6)
    assert scene.finished() == [
        (0.5, deleted("/r", is_dir=True)),
        (0.6, created("/r", is_dir=True)),
    ]


def test_a_listing_is_not_held() -> None:
    scene = Scene()
    scene.happen(Event(Kind.EXISTS, "/r/a"), at=0)
    assert scene.yielded == [(0, Event(Kind.EXISTS, "/r/a"))]


def test_the_clock_stays_before_what_is_held() -> None:
    scene = Scene()
    scene.happen(created("/r/a"), at=0)
    scene.happen(created("/r/b"), at=0.5)
    assert scene.clock == "0"
    scene.run(until=1.2)
    assert scene.clock == "1"
    scene.finished()
    assert scene.clock == "2"


def test_everything_can_be_released_at_once() -> None:
    scene = Scene()
    scene.happen(created("/r/b"), created("/r/a"), at=0)
    assert scene.settling.flush() == [created("/r/b"), created("/r/a")]
    assert scene.settling.is_empty


def test_found_again_is_said_of_what_any_change_was() -> None:
    scene = Scene()
    scene.happen(Event(Kind.CREATED, "/r/a", recovered=True), changed("/r/a"), at=0)
    ((_, event),) = scene.finished()
    assert event == Event(Kind.CREATED, "/r/a", recovered=True)


NAMES = ["a", "b", "d", "d/a", "d/b", "e", "e/a", "e/d", "e/d/a"]


class Disk:
    """A tree below /r, and the events that a server has of what is done to it."""

    def __init__(self) -> None:
        self.there: dict[str, bool] = {"/r/a": False, "/r/d": True, "/r/d/a": False}

    def do(self, what: str, name: str, other: str) -> list[Event]:
        path, dest, there = f"/r/{name}", f"/r/{other}", self.there
        parent = path.rpartition("/")[0]
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
    st.sampled_from(["file", "directory", "write", "delete", "rename", "rename"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from([0.0, 0.1, 0.5, 1.1]),
)


@given(acts=st.lists(ACTS, max_size=30))
def test_whoever_applies_what_is_yielded_knows_what_is_there(
    acts: list[tuple[str, str, str, float]],
) -> None:
    scene, disk, belief = Scene(), Disk(), Belief()
    for path, is_dir in disk.there.items():
        belief.created(path.encode(), is_dir)
    for what, name, other, pause in acts:
        events = disk.do(what, name, other)
        if events:
            scene.happen(*events, at=scene.now + pause)
    for _, event in scene.finished():
        raw = event.path.encode()
        if event.kind is Kind.CREATED:
            belief.created(raw, event.is_dir)
        elif event.kind is Kind.DELETED:
            belief.deleted(raw, event.is_dir)
        elif event.dest is not None:
            belief.moved(raw, event.dest.encode())
    found = {path.decode(): is_dir for path, is_dir in belief.entries().items()}
    assert found == {path[1:]: is_dir for path, is_dir in disk.there.items()}
