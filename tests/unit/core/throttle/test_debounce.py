from gamin.core.model.node import Node
from gamin.core.throttle.debounce import HOLD_SECONDS, WriteDebouncer

NODE = Node(None, b"")


def test_nothing_is_due_while_nothing_is_held() -> None:
    assert WriteDebouncer().deadline() is None


def test_what_is_held_is_let_go_after_20_ms() -> None:
    holds = WriteDebouncer()
    holds.hold(NODE, b"a", 10.0)
    assert holds.deadline() == 10.0 + HOLD_SECONDS == 10.02
    assert holds.expired(10.019) == []
    assert holds.expired(10.02) == [(NODE, b"a")]
    assert holds.deadline() is None


def test_writing_on_does_not_hold_it_longer() -> None:
    holds = WriteDebouncer()
    holds.hold(NODE, b"a", 10.0)
    holds.hold(NODE, b"a", 10.015)
    assert holds.deadline() == 10.02


def test_the_writer_who_closes_lets_it_go() -> None:
    holds = WriteDebouncer()
    holds.hold(NODE, b"a", 10.0)
    assert holds.release(NODE, b"a")
    assert not holds.release(NODE, b"a")
    assert holds.expired(11.0) == []


def test_those_whose_time_is_over_come_in_order() -> None:
    holds = WriteDebouncer()
    for name, now in ((b"b", 10.0), (b"a", 10.01), (b"c", 10.03)):
        holds.hold(NODE, name, now)
    assert [name for _, name in holds.expired(10.03)] == [b"b", b"a"]
    assert holds.deadline() == 10.03 + HOLD_SECONDS
