"""What remembers the roots is made only for somebody who needs it."""

from typing import Any, cast

import pytest

from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman import memory
from gamin.daemon.sessions.watchman.lazy_memory import LazyMemory
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey
from gamin.protocol.watchman.clocks import Clock

KEY = cast(RootKey, "key")
ROOT = cast(Root, "root")
CLOCK = Clock(1, 2, 3, 4)


class Recorder:
    """Stands for `Memory`, and says how it was made and called."""

    is_writing = True
    is_recalling = True

    def __init__(self, *arguments: object) -> None:
        self.calls: list[tuple[object, ...]] = [arguments]

    def save(self, *arguments: object) -> None:
        self.calls.append(("save", *arguments))

    def saving(self, *arguments: object) -> Any:
        self.calls.append(("saving", *arguments))
        yield
        return True

    def prepare(self, *arguments: object) -> Any:
        yield
        return ("prepared", *arguments)

    def recall(self, *arguments: object) -> Any:
        yield
        return ("recalled", *arguments)

    def cursor(self, *arguments: object) -> str:
        return f"cursor {arguments[1]}"

    def size(self) -> int:
        return 7


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made: list[Recorder] = []

    def make(*arguments: object) -> Recorder:
        made.append(Recorder(*arguments))
        return made[-1]

    monkeypatch.setattr(memory, "Memory", make)
    return made


def lazy(directory: bytes = b"/store") -> LazyMemory:
    return LazyMemory(cast(Service, "service"), directory, b"session")


def returned(steps: Any) -> object:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def test_nothing_is_made_before_it_is_needed(made: list[Recorder]) -> None:
    assert lazy().is_on
    assert not lazy().is_writing
    lazy().save([])
    assert not made


def test_a_server_that_remembers_nothing_never_makes_it(made: list[Recorder]) -> None:
    off = lazy(b"")
    assert not off.is_on
    off.save([(KEY, ROOT)])
    assert returned(off.saving([(KEY, ROOT)], [])) is False
    assert not off.is_recalling
    assert returned(off.recall(KEY, ROOT, CLOCK)) is None
    assert returned(off.prepare(KEY, CLOCK)) is None
    assert off.cursor(KEY, "name") is None
    assert off.size() == 0
    assert not made


def test_it_is_made_once_and_gets_every_call(made: list[Recorder]) -> None:
    on = lazy()
    on.save([(KEY, ROOT)], [])
    assert returned(on.saving([(KEY, ROOT)], [])) is True
    assert on.is_writing
    assert on.is_recalling
    assert returned(on.prepare(KEY, CLOCK)) == ("prepared", KEY, CLOCK)
    recalled = ("recalled", KEY, ROOT, CLOCK, None)
    assert returned(on.recall(KEY, ROOT, CLOCK)) == recalled
    assert on.cursor(KEY, "name") == "cursor name"
    assert on.size() == 7
    (only,) = made
    assert only.calls == [
        ("service", b"/store", b"session"),
        ("save", [(KEY, ROOT)], []),
        ("saving", [(KEY, ROOT)], []),
    ]
