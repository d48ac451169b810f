import pytest

from gamin.daemon.sessions.watchman.states import States
from gamin.protocol.watchman.errors import BadRequest

ME, OTHER = object(), object()


class Waiter:
    def __init__(self, defer: str = "", drop: str = "") -> None:
        self.defer = frozenset(defer.split())
        self.drop = frozenset(drop.split())
        self.is_held = False
        self.is_paused = False
        self.defer_vcs = False


def test_a_state_is_asserted_once() -> None:
    states = States()
    states.enter("a", ME)
    with pytest.raises(BadRequest, match=r"^state a is already asserted$"):
        states.enter("a", OTHER)
    assert states.asserted == ["a"]


def test_only_the_client_that_asserted_a_state_leaves_it() -> None:
    states = States()
    with pytest.raises(BadRequest, match=r"^state a is not asserted$"):
        states.leave("a", ME)
    states.enter("a", ME)
    with pytest.raises(BadRequest, match=r"^state a was not asserted by this session$"):
        states.leave("a", OTHER)
    states.leave("a", ME)
    assert states.asserted == []


def test_the_states_of_a_client_are_known_by_the_client() -> None:
    states = States()
    states.enter("a", ME)
    states.enter("b", OTHER)
    assert (states.of(ME), states.of(OTHER)) == (["a"], ["b"])


def test_subscriptions_that_wait_for_a_state_are_held() -> None:
    states = States()
    waiters = [Waiter("a"), Waiter(drop="a"), Waiter("b"), Waiter()]
    states.enter("a", ME)
    states.hold(waiters)
    assert [one.is_held for one in waiters] == [True, True, False, False]
    assert [states.is_dropping(one) for one in waiters] == [False, True, False, False]
    states.leave("a", ME)
    states.hold(waiters)
    assert not any(one.is_held for one in waiters)


def test_who_is_paused_is_held_whatever_is_asserted() -> None:
    states, waiter = States(), Waiter(defer="a")
    waiter.is_paused = True
    states.hold([waiter])
    assert waiter.is_held
    waiter.is_paused = False
    states.hold([waiter])
    assert not waiter.is_held
