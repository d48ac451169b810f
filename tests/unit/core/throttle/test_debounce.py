from gamin.core.model.node import Node
from gamin.core.throttle.debounce import HOLD_SECONDS, WriteDebouncer

NODE = Node(None, b"")


def test_nothing_is_due_while_nothing_is_held() -> None:
    assert WriteDebouncer().deadline() is None


def test_a_held_entry_expires_after_20_ms() -> None:
    holds = WriteDebouncer()
    holds.hold(NODE, b"a", 10.0)
    assert holds.deadline() == 10.0 + HOLD_SECONDS == 10.02
    assert holds.expired(10.019) == []
    assert holds.expired(10.02) == [(NODE, b"a")]
    assert holds.deadline() is None


def test_further_writes_do_not_extend_the_hold() -> None:
    holds = WriteDebouncer()
    holds.hold(NODE, b"a", 10.0)
    holds.hold(NODE, b"a", 10.015)
    assert holds.deadline() == 10.02


def test_closing_releases_the_entry() -> None:
    holds = WriteDebouncer()
    holds.hold(NODE, b"a", 10.0)
    assert holds.release(NODE, b"a")
    assert not holds.release(NODE, b"a")
    assert holds.expired(11.0) == []


def test_expired_entries_come_in_order() -> None:
    holds = WriteDebouncer()
    for name, now in ((b"b", 10.0), (b"a", 10.01), (b"c", 10.03)):
        holds.hold(NODE, name, now)
    assert [name for _, name in holds.expired(10.03)] == [b"b", b"a"]
    assert holds.deadline() == 10.03 + HOLD_SECONDS
