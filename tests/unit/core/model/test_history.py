from hypothesis import given
from hypothesis import strategies as st

from gamin.core.model.history import (
    History,
    forget_packed,
    forget_unpacked,
    pack_history,
    unpack_history,
    unpack_recent,
)

TICKS = st.integers(0, 3) | st.integers(0, 1 << 40)
TOUCHES = st.tuples(TICKS, TICKS, TICKS, TICKS, st.booleans())
NAMES = st.binary(min_size=1, max_size=4).filter(lambda name: b"/" not in name)


@given(st.dictionaries(NAMES, TOUCHES, min_size=1))
def test_a_packed_history_is_the_same_in_the_same_order(
    history: dict[bytes, History],
) -> None:
    unpacked = unpack_history(pack_history(history))
    assert list(unpacked.items()) == list(history.items())
    assert all(type(touch[-1]) is bool for touch in unpacked.values())


@given(st.dictionaries(NAMES, TOUCHES, min_size=1), TICKS)
def test_only_what_changed_after_a_tick_can_be_unpacked(
    some: dict[bytes, History], since: int
) -> None:
    history = dict(sorted(some.items(), key=lambda item: item[1][0]))
    recent = unpack_recent(pack_history(history), since)
    assert recent == [item for item in history.items() if item[1][0] > since]


def test_names_that_changed_together_take_no_memory_but_their_names() -> None:
    touch = (7, 0, 0, 0, False)
    one = pack_history({b"%05d" % 0: touch})
    packed = pack_history({b"%05d" % number: touch for number in range(1000)})
    assert len(packed) == len(one) + 999 * len(b"/00000")


@given(st.dictionaries(NAMES, TOUCHES, min_size=1), TICKS, st.integers(0, 9))
def test_a_packed_history_forgets_what_an_unpacked_one_forgets(
    some: dict[bytes, History], until: int, most: int
) -> None:
    """Names are in the order of their last changes."""
    history = dict(sorted(some.items(), key=lambda item: item[1][0]))
    left, forgotten, count = forget_packed(pack_history(history), until)
    kept = {name: touch for name, touch in history.items() if touch[0] > until}
    assert (unpack_history(left) if left else {}) == kept
    assert (forgotten, count) == (len(history) - len(kept), len(kept))
    assert forget_unpacked(history, until, most) == min(most, forgotten)
    forget_unpacked(history, until, len(history))
    assert list(history.items()) == list(kept.items())
