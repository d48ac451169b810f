"""Order and completeness over connections that are lost."""

from hypothesis import given
from hypothesis import strategies as st

from gamin.fleet.sequence import REPEATED_SECONDS, Gate, Number, Numbering, Verdict

NEXT, REFUSED, MISSED = Verdict.NEXT, Verdict.REFUSED, Verdict.MISSED


def test_a_gap_closes_the_gate_until_the_next_epoch() -> None:
    numbering, gate = Numbering(), Gate()
    first, _lost, third = (numbering.next() for _ in range(3))
    assert gate.check(first, 0.0) is NEXT
    assert gate.check(third, 1.0) is REFUSED
    assert gate.gap_began == 1.0
    numbering.start_epoch()
    assert gate.check(numbering.next(), 2.0) is NEXT
    assert gate.gap_began is None


def test_a_gap_that_nobody_closes_in_time_is_a_loss_and_the_rest_goes_on() -> None:
    numbering, gate = Numbering(), Gate()
    first, _dropped, third, fourth, fifth = (numbering.next() for _ in range(5))
    gate.check(first, 0.0)
    assert gate.check(third, 1.0) is REFUSED
    assert gate.check(fourth, 1.0 + REPEATED_SECONDS) is MISSED
    assert gate.check(fifth, 1.0 + REPEATED_SECONDS) is NEXT


def test_an_epoch_whose_beginning_was_dropped_is_taken_up_in_time() -> None:
    numbering, gate = Numbering(), Gate()
    gate.check(numbering.next(), 0.0)
    numbering.start_epoch()
    _dropped, second, third = (numbering.next() for _ in range(3))
    assert gate.check(second, 1.0) is REFUSED
    assert gate.check(third, 1.0 + REPEATED_SECONDS) is MISSED


def test_after_a_gap_was_given_up_anything_is_taken() -> None:
    numbering, gate = Numbering(), Gate()
    first, _dropped, third = (numbering.next() for _ in range(3))
    gate.check(first, 0.0)
    gate.check(third, 1.0)
    gate.give_up()
    assert gate.gap_began is None
    assert gate.check(numbering.next(), 2.0) is NEXT


def test_a_repetition_and_an_old_epoch_are_refused() -> None:
    numbering, gate = Numbering(), Gate()
    old = numbering.next()
    numbering.start_epoch()
    new = numbering.next()
    assert gate.check(new, 0.0) is NEXT
    assert gate.check(new, 0.0) is REFUSED
    # It was on its way on a connection that was given up.
    assert gate.check(old, 0.0) is REFUSED
    assert gate.check(numbering.next(), 0.0) is NEXT
    assert gate.gap_began is None


def test_a_follower_may_begin_anywhere() -> None:
    assert Gate().check(Number("epoch", 17), 0.0) is NEXT


@given(st.lists(st.booleans(), max_size=60))
def test_everything_arrives_in_order_whatever_is_lost(script: list[bool]) -> None:
    """A publisher sends 0, 1, 2…; each message may be lost on its way, and then the
    publisher, which sees that later, begins again with what was not acknowledged."""
    count = 20
    numbering, gate = Numbering(), Gate()
    received: list[int] = []
    acknowledged, fate = 0, iter(script)
    gate.check(numbering.next(), 0.0)  # the follower was there before
    while acknowledged < count:
        window = range(acknowledged, min(count, acknowledged + 5))
        fates = [next(fate, True) for _ in window]
        for value, is_stored in zip(window, fates, strict=True):
            number = numbering.next()
            if is_stored and gate.check(number, 0.0) is NEXT:
                received.append(value)
        stored = fates.index(False) if False in fates else len(fates)
        acknowledged += stored
        if stored < len(fates):
            numbering.start_epoch()
    assert received == list(range(count))
