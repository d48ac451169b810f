"""The events that lead from a client's belief to the present state."""

import pytest

from gamin.protocol.gam.belief import Belief, Step
from gamin.protocol.gam.packets import EventCode

EXISTS, CREATED = EventCode.EXISTS, EventCode.CREATED
CHANGED, DELETED = EventCode.CHANGED, EventCode.DELETED
END = EventCode.END_EXIST


def belief(*events: tuple[EventCode, bytes], touched: bytes | None = None) -> Belief:
    made = Belief()
    for code, entry in events:
        made.note(code, entry)
    if touched is not None:
        made.touched.add(touched)
    return made


def steps(known: Belief, new: Belief, *, listed: bool = True) -> list[Step]:
    return list(known.steps_to(new, directory=True, listed=listed))


BOX = belief((EXISTS, b""), (EXISTS, b"a"), (EXISTS, b"b"), (END, b""))
GONE = belief((DELETED, b""), (END, b""))
UNKNOWN = Belief()


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        pytest.param(
            BOX,
            belief((EXISTS, b""), (EXISTS, b"b"), (EXISTS, b"c"), (END, b"")),
            [Step(DELETED, b"a"), Step(CHANGED, b"b", False), Step(CREATED, b"c")],
            id="one gone, one kept, one new",
        ),
        pytest.param(
            BOX,
            GONE,
            [Step(DELETED, b"a"), Step(DELETED, b"b"), Step(DELETED, b"")],
            id="the directory went with its entries",
        ),
        pytest.param(
            GONE,
            BOX,
            [Step(CREATED, b""), Step(CREATED, b"a"), Step(CREATED, b"b")],
            id="the directory came with its entries",
        ),
        pytest.param(GONE, GONE, [], id="still not there"),
        pytest.param(
            belief((EXISTS, b""), (EXISTS, b"a"), (END, b"")),
            belief((EXISTS, b""), (EXISTS, b"a"), (END, b""), touched=b"a"),
            [Step(CHANGED, b"a")],
            id="seen to change during the listing",
        ),
        pytest.param(
            UNKNOWN,
            BOX,
            [Step(CREATED, b"a", False), Step(CREATED, b"b", False)],
            id="never listed: names may be old",
        ),
        pytest.param(UNKNOWN, GONE, [Step(DELETED, b"")], id="never listed, now gone"),
        pytest.param(
            belief((CREATED, b"a")),
            belief((EXISTS, b""), (END, b"")),
            [Step(DELETED, b"a")],
            id="never listed, but told of a creation",
        ),
    ],
)
def test_the_steps_of_a_directory(
    known: Belief, new: Belief, expected: list[Step]
) -> None:
    assert steps(known, new) == expected


def test_the_rest_of_a_first_listing_is_reported_as_a_listing() -> None:
    half = belief((EXISTS, b""), (EXISTS, b"a"))
    assert steps(half, BOX, listed=False) == [
        Step(CHANGED, b"a", False),
        Step(EXISTS, b"b"),
    ]
    assert steps(UNKNOWN, BOX, listed=False) == [
        Step(EXISTS, b""),
        Step(EXISTS, b"a"),
        Step(EXISTS, b"b"),
    ]


def test_a_file_that_stays_may_have_changed() -> None:
    file = belief((EXISTS, b""), (END, b""))
    steps = file.steps_to(file, directory=False, listed=True)
    assert list(steps) == [Step(CHANGED, b"", False)]


def test_entries_go_with_their_directory() -> None:
    known = belief((EXISTS, b""), (EXISTS, b"a"), (DELETED, b""), (CREATED, b""))
    assert (known.present, known.names, known.complete) == (True, set(), True)
