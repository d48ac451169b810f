"""The observer that stands in for watchdog's PollingObserver."""

import pytest

pytest.importorskip("watchdog")

from watchdog.observers.polling import PollingEmitter

from gamin.compat.observer import GaminEmitter, GaminObserver
from gamin.compat.polling_observer import GaminPollingObserver


def test_without_the_service_it_polls_as_the_original_does() -> None:
    emitter = GaminPollingObserver.emitter_class
    assert issubclass(emitter, GaminEmitter)
    assert emitter.own_class is PollingEmitter
    assert GaminPollingObserver.own_emitter_class is emitter


def test_the_other_observer_does_not_poll() -> None:
    assert GaminObserver.emitter_class.own_class is not PollingEmitter
