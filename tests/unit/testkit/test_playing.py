"""The player of scenarios: a server that reports wrong events does not pass."""

from collections.abc import Sequence

import pytest

from testkit.scenario.commands import Command
from testkit.scenario.drivers import ReceivedEvent
from testkit.scenario.file import parse
from testkit.scenario.playing import Play

ROOT = b"/tmp/somewhere"
SCENARIO = """# A directory and a file.

watch  box
watch-file  f
touch  box/a

Events of box:
    exists   box
    created  a
Events of f:
    exists   f

skip [short]: enough
rm  box/a

Events of box:
    deleted  a
"""
RIGHT = (
    ReceivedEvent(1, 8, ROOT + b"/box"),
    ReceivedEvent(1, 5, b"a"),
    ReceivedEvent(2, 8, ROOT + b"/f"),
)
REST = (ReceivedEvent(1, 2, b"a"),)


class Scripted:
    """Driver and client at once: says, barrier by barrier, what it was given."""

    def __init__(self, *barriers: Sequence[ReceivedEvent]) -> None:
        self._barriers = list(barriers)
        self.asked: list[bytes] = []

    def client(self, name: str) -> "Scripted":
        return self

    def watch_directory(self, path: bytes) -> int:
        self.asked.append(path)
        return len(self.asked)

    def watch_file(self, path: bytes) -> int:
        return self.watch_directory(path)

    def no_exists(self) -> None: ...

    def cancel(self, number: int) -> None: ...

    def barrier(self) -> list[ReceivedEvent]:
        return list(self._barriers.pop(0)) if self._barriers else []

    def disconnect(self) -> None: ...

    def close(self) -> None: ...


def perform(driver: Scripted, *traits: str, patience: float = 0.0) -> list[str]:
    """Plays, and returns the commands that reached the disk."""
    done: list[Command] = []
    play = Play(driver, done.append, ROOT, frozenset(traits), patience)
    play.perform(parse(SCENARIO))
    return [command.verb for command in done]


def test_the_right_events_pass() -> None:
    driver = Scripted(RIGHT, REST)
    assert perform(driver) == ["touch", "rm"]
    assert driver.asked == [ROOT + b"/box", ROOT + b"/f"]


def test_a_skip_ends_the_play() -> None:
    assert perform(Scripted(RIGHT), "short") == ["touch"]


def test_right_events_in_two_parts_pass_only_with_patience() -> None:
    perform(Scripted(RIGHT[:1], RIGHT[1:], REST), patience=5.0)
    with pytest.raises(AssertionError):
        perform(Scripted(RIGHT[:1], RIGHT[1:], REST))


@pytest.mark.parametrize(
    "barriers",
    [
        pytest.param([], id="nothing"),
        pytest.param([RIGHT], id="the end is missing"),
        pytest.param([RIGHT, REST, REST], id="something comes after the end"),
        pytest.param([(*RIGHT, ReceivedEvent(3, 5, b"a"))], id="for no request"),
        pytest.param(
            [(ReceivedEvent(1, 8, b"box"), *RIGHT[1:]), REST],
            id="a bare name for the path",
        ),
        pytest.param(
            [(RIGHT[0], ReceivedEvent(1, 5, ROOT + b"/a"), RIGHT[2]), REST],
            id="a path for a bare name",
        ),
        pytest.param(
            [(*RIGHT[:2], ReceivedEvent(2, 8, ROOT + b"//f")), REST],
            id="a normalised path",
        ),
    ],
)
def test_wrong_events_do_not_pass(barriers: list[Sequence[ReceivedEvent]]) -> None:
    with pytest.raises(AssertionError):
        perform(Scripted(*barriers))
