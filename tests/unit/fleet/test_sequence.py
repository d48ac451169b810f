"""Order and completeness over connections that are lost."""

from hypothesis import given
from hypothesis import strategies as st

from gamin.fleet.sequence import Gate, Number, Numbering


def test_a_gap_closes_the_gate_until_the_next_epoch() -> None:
    numbering, gate = Numbering(), Gate()
    first, _lost, third = (numbering.next() for _ in range(3))
    assert gate.admits(first)
    assert not gate.admits(third)
    numbering.start_epoch()
    assert gate.admits(numbering.next())


def test_a_repetition_and_an_old_epoch_are_not_admitted() -> None:
    numbering, gate = Numbering(), Gate()
    old = numbering.next()
    numbering.start_epoch()
    new = numbering.next()
    assert gate.admits(new)
    assert not gate.admits(new)
    assert not gate.admits(old)  # it was on its way on a connection that was given up
    assert gate.admits(numbering.next())


def test_a_follower_may_begin_anywhere() -> None:
    assert Gate().admits(Number("epoch", 17))


@given(st.lists(st.booleans(), max_size=60))
def test_everything_arrives_in_order_whatever_is_lost(script: list[bool]) -> None:
    """A publisher sends 0, 1, 2…; each message may be lost on its way, and then the
    publisher, which sees that later, begins again with what was not acknowledged."""
    count = 20
    numbering, gate = Numbering(), Gate()
    received: list[int] = []
    acknowledged, fate = 0, iter(script)
    assert gate.admits(numbering.next())  # the follower was there before
    while acknowledged < count:
        window = range(acknowledged, min(count, acknowledged + 5))
        fates = [next(fate, True) for _ in window]
        for value, is_stored in zip(window, fates, strict=True):
            number = numbering.next()
            if is_stored and gate.admits(number):
                received.append(value)
        stored = fates.index(False) if False in fates else len(fates)
        acknowledged += stored
        if stored < len(fates):
            numbering.start_epoch()
    # What comes again follows what is known: no value is missing, none goes back twice.
    assert sorted(set(received)) == list(range(count))
    assert received == sorted(received)
