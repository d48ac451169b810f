"""A scenario file read; its language is described in tests/scenarios/README.md.

Pure. The lines of an `Events:` block are given to `pattern.py`.
"""

import re
from collections.abc import Iterable

from testkit.scenario import pattern
from testkit.scenario.commands import Command, Comparison, Expectation, Scenario, Skip
from testkit.scenario.words import expanded, tokens

# Least and most number of words after each verb.
VERBS = {
    # what clients do
    "client": (1, 1),
    "watch": (1, 3),
    "watch-file": (1, 3),
    "no-exists": (0, 0),
    "cancel": (1, 1),
    "disconnect": (0, 0),
    "sync": (0, 0),
    # what happens on the disk
    "mkdir": (1, 3000),
    "touch": (1, 3000),
    "write": (2, 2),
    "append": (2, 3000),
    "truncate": (1, 1),
    "open": (1, 1),
    "read": (1, 1),
    "list": (1, 1),
    "chmod": (2, 2),
    "utime": (1, 1),
    "rm": (1, 3000),
    "rmdir": (1, 1),
    "mv": (2, 2),
    "ln": (2, 3),
    "mkfifo": (1, 1),
    "mount": (1, 1),
    "bind": (2, 2),
    "umount": (1, 1),
}
FLAGS = {("mkdir", b"-p"), ("rm", b"-r"), ("ln", b"-s")}

_EVENTS = re.compile(
    r"Events(?: of (?P<of>\S+))?(?: within (?P<within>[\d.]+) s)?"
    r"(?: \[(?P<ways>[^]]*)\])?:(?P<reason>.*)"
)
_SKIP = re.compile(r"skip \[(?P<ways>[^]]*)\]:(?P<reason>.*)")


class ScenarioError(ValueError):
    """The file is no scenario; the text begins with the number of the line."""


def parse(text: str) -> Scenario:
    """Raises ScenarioError."""
    scenario = Scenario()
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1)]
    while lines:
        number, line = lines.pop(0)
        block = []
        while lines and (lines[0][1].startswith(" ") or not lines[0][1].strip()):
            block.append(lines.pop(0)[1])
        try:
            _top_line(
                scenario,
                number,
                line.rstrip(),
                [each for each in block if each.strip()],
            )
        except ValueError as error:
            raise ScenarioError(f"line {number}: {error}") from error
    if not scenario.title:
        raise ScenarioError("line 1: the first line says '# what is shown'")
    return scenario


def _top_line(scenario: Scenario, number: int, line: str, block: list[str]) -> None:
    if found := _EVENTS.fullmatch(line):
        _add_expectation(scenario, number, found, block)
    elif block:
        raise ValueError("only Events: has indented lines")
    elif line.startswith("#"):
        scenario.title = scenario.title or line.strip("# ")
    elif found := _SKIP.fullmatch(line):
        scenario.steps.append(Skip(_ways(found), found["reason"].strip()))
    elif line == "gaminrc" or line.startswith("gaminrc "):
        scenario.gaminrc.append(line.removeprefix("gaminrc").strip())
    elif line == "needs mounts":
        scenario.needs_mounts = True
    elif line:
        _add_command(scenario, number, line)


def _ways(found: re.Match[str]) -> frozenset[str]:
    ways = frozenset(way.strip() for way in found["ways"].split(","))
    if not found["reason"].strip():
        raise ValueError("a difference needs a reason after the colon")
    return ways


def _add_expectation(
    scenario: Scenario, number: int, found: re.Match[str], block: list[str]
) -> None:
    if found["ways"] is None and found["reason"].strip():
        raise ValueError("a reason belongs to a block for some ways only")
    if not block:
        raise ValueError("an empty block; write 'nothing'")
    if not found["of"] and len(scenario.requests) != 1:
        raise ValueError("Events of which request?")
    request = found["of"] or scenario.requests[0]
    if request not in scenario.requests:
        raise ValueError(f"no request is called {request!r}")
    expectation = Expectation(
        request,
        _ways(found) if found["ways"] is not None else frozenset(),
        float(found["within"] or 0),
        pattern.parse(block),
    )
    # Blocks that follow each other are one comparison.
    match scenario.steps:
        case [*_, Comparison(line, earlier)]:
            if (request, expectation.ways) in [(e.request, e.ways) for e in earlier]:
                raise ValueError(f"a second block for {request!r}")
            scenario.steps[-1] = Comparison(line, (*earlier, expectation))
        case _:
            scenario.steps.append(Comparison(number, (expectation,)))


def _add_command(scenario: Scenario, number: int, line: str) -> None:
    verb, *raw = tokens(line)
    if verb not in VERBS:
        raise ValueError(f"no such command: {verb!r}")
    words = tuple(_all_words(raw))
    flag = b""
    if words and (verb, words[0]) in FLAGS:
        flag, *rest = words
        words = tuple(rest)
    least, most = VERBS[verb]
    if not least <= len(words) <= most:
        raise ValueError(f"{verb} takes {least} to {most} words, not {len(words)}")
    if verb in ("watch", "watch-file"):
        _name_request(scenario, raw)
    elif verb == "cancel" and raw[0] not in scenario.requests:
        raise ValueError(f"no request is called {raw[0]!r}")
    scenario.steps.append(Command(number, verb, flag, words))


def _all_words(raw: Iterable[str]) -> Iterable[bytes]:
    for word in raw:
        yield from expanded(word)


def _name_request(scenario: Scenario, raw: list[str]) -> None:
    """`watch PATH` is called PATH, `watch PATH as NAME` is called NAME."""
    if len(raw) == 2 or (len(raw) == 3 and raw[1] != "as"):
        raise ValueError("watch PATH, or watch PATH as NAME")
    name = raw[-1]
    if "\\" in name:
        raise ValueError("a path with escapes needs 'as NAME'")
    if name in scenario.requests:
        raise ValueError(f"a second request called {name!r}; use 'as NAME'")
    scenario.requests.append(name)
