"""`from gamin.compat.watchdog import Observer`, in the place of watchdog's line."""

import pytest

pytest.importorskip("watchdog")

from watchdog.observers.api import BaseObserver

from gamin.compat import watchdog
from gamin.compat.observer import GaminObserver


def test_the_observer_is_one_of_watchdog_s_own_kind() -> None:
    assert watchdog.Observer is GaminObserver
    assert issubclass(watchdog.Observer, BaseObserver)
    assert set(watchdog.__all__) <= set(dir(watchdog))
