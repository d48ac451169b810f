"""What a scenario consists of: commands, and the events that requests then expect.

`file.py` reads a scenario from text, `playing.py` plays it.
"""

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

from testkit.scenario.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Command:
    line: int
    verb: str
    flag: bytes
    words: tuple[bytes, ...]

    def __str__(self) -> str:
        shown = [word.decode(errors="backslashreplace") for word in self.words[:4]]
        return f"line {self.line}: {' '.join([self.verb, *shown])}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one request receives; `ways` is empty for the block that serves the rest."""

    request: str
    ways: frozenset[str]
    within: float
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Comparison:
    """A place where everything received since the last such place is compared."""

    line: int
    expectations: tuple[Expectation, ...]

    def __str__(self) -> str:
        return f"line {self.line}" if self.line else "after the last line"

    def of(self, request: str, traits: frozenset[str]) -> Expectation:
        """The expectation that holds for `request` on a way with these `traits`."""
        plain = Expectation(request, frozenset(), 0.0, ())
        for each in self.expectations:
            if each.request == request and each.ways & traits:
                return each
            if each.request == request and not each.ways:
                plain = each
        return plain


@dataclass(frozen=True, slots=True)
class Skip:
    """Some ways leave out the rest."""

    ways: frozenset[str]
    reason: str


Step: TypeAlias = Command | Comparison | Skip


@dataclass(slots=True)
class Scenario:
    title: str = ""
    steps: list[Step] = field(default_factory=list)
    gaminrc: list[str] = field(default_factory=list)
    """The lines of ~/.gaminrc, where ~ is the scenario's own directory."""
    needs_mounts: bool = False
    requests: list[str] = field(default_factory=list)

    def reason_to_skip(self, traits: frozenset[str]) -> str | None:
        """Not None if a way with these `traits` has nothing to play at all."""
        at_once = takewhile(lambda step: isinstance(step, Skip), self.steps)
        reasons = (
            step.reason
            for step in at_once
            if isinstance(step, Skip) and step.ways & traits
        )
        return next(reasons, None)
