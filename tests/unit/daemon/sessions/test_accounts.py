"""What connections hold counts against one budget."""

import pytest

from gamin.daemon.sessions import accounts
from gamin.daemon.sessions.accounts import Account, Accounts


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    monkeypatch.setattr(accounts, "FREE_BYTES", 10)
    budget = Accounts()
    budget.max_held_bytes = 100
    return budget


def test_the_held_bytes_are_the_sum_of_all_clients(budget: Accounts) -> None:
    one, other = Account(budget), Account(budget)
    one.hold(5)
    other.hold(7)
    one.hold(3)
    assert budget.held_bytes == 10
    one.hold(0)
    other.hold(0)
    assert budget.held_bytes == 0


def test_a_client_that_holds_little_is_unaffected_by_an_exhausted_budget(
    budget: Accounts,
) -> None:
    greedy, modest = Account(budget), Account(budget)
    modest.hold(10)
    greedy.hold(90)
    assert not greedy.is_exhausted
    greedy.hold(91)
    assert budget.is_exhausted
    assert greedy.is_exhausted
    assert not modest.is_exhausted
