"""When what clients were sent is saved: soon, seldom, and not while nothing happens."""

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from gamin.config.state_settings import StateSettings
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions import gam_memory
from gamin.daemon.sessions.gam_memory import GamMemory


class Loop:
    """Calls nobody by itself."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Any]] = []
        self.soon: list[Any] = []

    def call_at(self, when: float, call: Any) -> SimpleNamespace:
        self.timers.append((when, call))
        return SimpleNamespace(cancel=self.timers.clear)

    def call_soon(self, call: Any) -> None:
        self.soon.append(call)

    def fire(self) -> float:
        """Run the only timer, and all that it leads to; return when it was due."""
        ((when, call),) = self.timers
        self.timers.clear()
        call()
        while self.soon:
            self.soon.pop(0)()
        return when


class Saving:
    """Saves in two steps, and counts that."""

    def __init__(self) -> None:
        self.saved = 0
        self.is_writing = False
        self.is_new = False
        self.waits = 0
        self.during: Any = lambda: None

    def steps(self, noted: set[Subscription]) -> Generator[None, None, bool]:
        noted.clear()
        self.during()
        yield
        self.saved += 1
        return True

    def save(self, noted: set[Subscription]) -> None:
        self.saved += 1

    def wait(self) -> None:
        self.waits += 1

    def start_anew(self) -> None:
        self.is_new = True


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [100.0]
    monkeypatch.setattr(gam_memory, "time", SimpleNamespace(monotonic=lambda: times[0]))
    return times


class Made:
    def __init__(self, directory: bytes = b"/state") -> None:
        self.loop = Loop()
        self.saving = Saving()
        service: Any = SimpleNamespace(loop=self.loop, state=StateSettings())
        self.memory = GamMemory(service, directory, b"", 1)
        made: Any = self.saving
        self.memory._made = made


def subscription() -> Subscription:
    return Subscription(None, 1, b"/a", Scope.FILE)


def test_many_notes_are_one_save_a_second_after_the_first(now: list[float]) -> None:
    made = Made()
    for _ in range(3):
        made.memory.note(subscription())
        made.memory.note_client()
    assert made.loop.fire() == 101.0
    assert made.saving.saved == 1
    assert made.loop.timers == []


def test_the_next_save_is_some_seconds_later(now: list[float]) -> None:
    made = Made()
    made.memory.note(subscription())
    made.loop.fire()
    made.memory.note(subscription())
    assert made.loop.fire() == 105.0
    now[0] = 200.0
    made.memory.note(subscription())
    assert made.loop.fire() == 201.0


def test_what_is_noted_during_a_save_is_saved_later(now: list[float]) -> None:
    made = Made()
    made.saving.during = lambda: made.memory.note(subscription())
    made.memory.note_client()
    made.loop.fire()
    assert len(made.loop.timers) == 1
    made.saving.during = lambda: None
    made.loop.fire()
    assert made.loop.timers == []
    made.saving.during = made.memory.note_client
    made.memory.note(subscription())
    made.loop.fire()
    assert len(made.loop.timers) == 1


def test_a_save_waits_for_the_one_that_is_written(now: list[float]) -> None:
    made = Made()
    made.memory.note(subscription())
    made.saving.is_writing = True
    made.loop.fire()
    assert made.saving.saved == 0
    made.saving.is_writing = False
    made.loop.fire()
    assert made.saving.saved == 1


def test_a_save_that_fails_is_of_everything_next_time(now: list[float]) -> None:
    made = Made()

    def fail() -> None:
        raise MemoryError

    made.saving.during = fail
    made.memory.note(subscription())
    with pytest.raises(MemoryError):
        made.loop.fire()
    assert made.saving.is_new
    made.memory.note(subscription())
    assert made.loop.timers


def test_the_end_saves_what_was_noted_or_waits_for_what_is_written(
    now: list[float],
) -> None:
    made = Made()
    made.memory.save()
    assert (made.saving.saved, made.saving.waits) == (0, 1)
    made = Made()
    made.memory.note(subscription())
    made.memory.save()
    assert made.saving.saved == 1
    assert made.loop.timers == []
    made.memory.note(subscription())  # clients leave after that
    assert made.loop.timers == []


def test_an_end_in_the_middle_of_a_save_saves_everything(now: list[float]) -> None:
    made = Made()
    made.memory.note(subscription())
    made.memory._steps = made.saving.steps(set())
    made.memory.save()
    assert made.saving.is_new
    assert made.saving.saved == 1


def test_nothing_is_noted_or_found_where_the_state_is_off() -> None:
    made = Made(b"")
    made.memory.note_client()
    assert made.loop.timers == []
    session: Any = None
    assert made.memory.repetition(session, []) is None
