"""What a check of `gamin doctor` finds, and how it is shown."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gamin.paths import printable


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing, nothing to repair."""
    PROBLEM = "problem"


class Finding(NamedTuple):
    level: Level
    check: str
    """What was checked, in two or three words."""
    what: str
    why: str = ""
    """What follows from it."""
    remedy: str = ""
    """A command that can be pasted, or what to do."""


def ok(check: str, what: str) -> Finding:
    return Finding(Level.OK, check, what)


def note(check: str, what: str, why: str = "", remedy: str = "") -> Finding:
    return Finding(Level.NOTE, check, what, why, remedy)


def problem(check: str, what: str, why: str, remedy: str) -> Finding:
    return Finding(Level.PROBLEM, check, what, why, remedy)


def as_text(finding: Finding) -> Iterator[str]:
    yield printable(f"{finding.level:<8} {finding.check}: {finding.what}")
    if finding.why:
        yield printable(f"{'':9}why:    {finding.why}")
    if finding.remedy:
        yield printable(f"{'':9}remedy: {finding.remedy}")
