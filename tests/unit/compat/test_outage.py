"""A server that cannot be had is not asked for again at once."""

import pytest

from gamin.compat import outage


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "_failed_at", {})
    monkeypatch.setenv("GAM_CLIENT_ID", "one")


def test_after_a_failed_attempt_there_is_none_for_a_minute() -> None:
    assert not outage.is_known(lambda: 100.0)
    outage.remember(lambda: 100.0)
    assert outage.is_known(lambda: 100.0 + outage.RETRY_SECONDS - 1)
    assert not outage.is_known(lambda: 100.0 + outage.RETRY_SECONDS)


def test_another_server_is_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    outage.remember(lambda: 100.0)
    monkeypatch.setenv("GAM_CLIENT_ID", "another")
    assert not outage.is_known(lambda: 100.0)
