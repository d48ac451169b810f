"""Paths are reported when they are quiet, whatever the server keeps back meanwhile."""

from collections.abc import Callable, Sequence

import pytest

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.activity import NOTHING_MORE, Activity
from gamin.protocol.watchman.client.held_clock import join, split
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
        self.yielded: list[tuple[float, Event]] = []

    def come_back(self) -> None:
        """Another watch goes on from the clock of this one."""
        text = join("c:1:2:3:4", self.settling.held())
        assert text is not None
        self.settling = Settling(SPAN, {"/r"}.__contains__)
        self.settling.restore(split(text)[1], self.now)

    def happen(self, *events: Event, at: float, is_certain: bool = True) -> None:
        self.run(until=at)
        found = self.settling.add(events, self.now, is_certain=is_certain)
        self._yield(found)

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


def test_a_deletion_after_the_late_report_of_what_was_reported_is_not_lost() -> None:
    """The server knows nothing newer of the path than the last write."""
    scene = Scene(busy_until(3.2, 4.5))
    scene.happen(created("/r/a"), at=0)
    scene.happen(changed("/r/a"), deleted("/r/a"), at=4.5)
    assert [e for _, e in scene.finished()] == [created("/r/a"), deleted("/r/a")]


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
    settling.add([created("/r/a")], 0.0)
    assert settling.due(1.0) == ([], ["/r/a"])
    assert settling.due(1.5) == ([], [])
    assert settling.answered(["/r/a"], None, 2.0) == []
    assert settling.due(2.0) == ([], ["/r/a"])
    assert settling.answered(["/r/a"], [NOTHING_MORE], 2.0) == [created("/r/a")]


def test_an_answer_from_before_a_change_is_not_valid_for_it() -> None:
    settling = Settling(SPAN, {"/r"}.__contains__)
    settling.add([created("/r/a")], 0.0)
    assert settling.due(1.0) == ([], ["/r/a"])
    settling.add([changed("/r/a")], 1.1)
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


def test_a_directory_in_the_place_of_a_file_is_reported_before_what_is_in_it() -> None:
    scene = Scene()
    scene.happen(changed("/r/e"), at=0)
    made = [deleted("/r/e"), created("/r/e", is_dir=True), created("/r/e/f")]
    scene.happen(*made, at=0.5)
    assert [event for _, event in scene.finished()] == made


def test_a_directory_in_the_place_of_a_file_that_is_renamed_is_a_new_one() -> None:
    scene = Scene()
    made = [deleted("/r/e"), created("/r/e", is_dir=True), created("/r/e/f")]
    scene.happen(*made, at=0)
    scene.happen(moved("/r/e", "/r/d", is_dir=True), at=0.5)
    assert [event for _, event in scene.finished()] == [
        deleted("/r/e"),
        created("/r/d", is_dir=True),
        created("/r/d/f"),
    ]


def test_what_may_have_been_unknown_is_deleted_and_created() -> None:
    settling = Settling(SPAN, {"/r"}.__contains__)
    events = [
        *(deleted("/r/d/f"), deleted("/r/d", is_dir=True), deleted("/r/f")),
        *(created("/r/f"), created("/r/d", is_dir=True), created("/r/d/f")),
    ]
    settling.add(events, 0.0, is_certain=False)
    belief = Belief()
    for event in settling.flush():
        apply(belief, event)
    entries = belief.entries()
    assert set(entries) == {b"r/f", b"r/d", b"r/d/f"}


def test_what_was_at_a_name_is_reported_before_a_directory_is_renamed_to_it() -> None:
    scene = Scene()
    away = moved("/r/e/b", "/r/b"), moved("/r/g", "/r/h")
    gone = deleted("/r/e/a"), deleted("/r/e", is_dir=True)
    onto = moved("/r/d", "/r/e", is_dir=True), moved("/r/f", "/r/g", is_dir=True)
    scene.happen(*away, *gone, *onto, at=0)
    seen = [event for _, event in scene.finished()]
    assert set(seen) == {*away, *gone, *onto}
    assert seen.index(onto[0]) > max(map(seen.index, (away[0], *gone)))
    assert seen.index(onto[1]) > seen.index(away[1])


def test_two_renames_that_wait_for_each_other_are_reported_as_far_as_possible() -> None:
    scene, belief = Scene(), Belief()
    for path, is_dir in ((b"r/a", False), (b"r/d", True), (b"r/d/a", False)):
        belief.created(path, is_dir)
    acts = [deleted("/r/e"), moved("/r/d/a", "/r/e"), deleted("/r/d", is_dir=True)]
    scene.happen(*acts, moved("/r/a", "/r/d"), moved("/r/e", "/r/a"), at=0)
    for _, event in scene.finished():
        apply(belief, event)
    assert belief.entries() == {b"r/a": False, b"r/d": False}


def test_a_directory_that_is_renamed_to_the_name_of_a_file_replaces_it() -> None:
    scene = Scene()
    scene.happen(created("/r/d", is_dir=True), created("/r/d/f"), at=0)
    scene.happen(deleted("/r/e"), moved("/r/d", "/r/e", is_dir=True), at=0.5)
    assert [event for _, event in scene.finished()] == [
        deleted("/r/e"),
        created("/r/e", is_dir=True),
        created("/r/e/f"),
    ]


def test_what_was_renamed_out_of_a_directory_is_reported_before_a_file_is_there() -> (
    None
):
    scene = Scene()
    acts = [moved("/r/d/f", "/r/g"), deleted("/r/d", is_dir=True), created("/r/d")]
    scene.happen(changed("/r/g"), changed("/r/d", is_dir=True), at=0)
    scene.happen(*acts, at=0.5)
    scene.happen(changed("/r/g"), at=1.2)
    assert [event for _, event in scene.finished()] == [
        moved("/r/d/f", "/r/g"),
        changed("/r/g"),
        *acts[1:],
    ]


def test_a_question_about_a_path_that_was_renamed_meanwhile_is_asked_again() -> None:
    settling = Settling(SPAN, {"/r"}.__contains__)
    settling.add([changed("/r/d/f")], 0.0)
    assert settling.due(1.0) == ([], ["/r/d/f"])
    settling.add([moved("/r/d", "/r/e", is_dir=True)], 1.1)
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


def apply(belief: Belief, event: Event) -> None:
    raw = event.path.encode()
    if event.kind is Kind.CREATED:
        belief.created(raw, event.is_dir)
    elif event.kind is Kind.DELETED:
        belief.deleted(raw, event.is_dir)
    elif event.dest is not None:
        belief.moved(raw, event.dest.encode())
