"""Applies the end of a large directory a slice at a time."""

import pytest

from gamin.core.apply import removals
from gamin.core.effects import Deliver, Effect, Remove
from gamin.events import Change, as_rows
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from testkit.words import as_words

SLICE_ROWS = 5
"""Rows of one slice at most: `furnished` has 4 entries removed at a time, and after
these a directory that is empty."""


def furnished(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell with /d/big, which is removed a few entries at a time."""
    monkeypatch.setattr(removals, "MAX_NAMES_AT_ONCE", 5)
    monkeypatch.setattr(removals, "BATCH_NAMES", 4)
    shell = Shell()
    shell.disk.makedirs(b"/d/big/sub/deep")
    shell.disk.makedirs(b"/elsewhere")
    for number in range(6):
        shell.disk.touch(b"/d/big/%d" % number)
        shell.disk.touch(b"/d/big/sub/%d" % number)
    return shell


class Pieces:
    """Applies the end of /d/big to the core, and then a slice at a time."""

    def __init__(self, shell: Shell, tree: View) -> None:
        self.shell = shell
        self.monitor = shell.monitor
        found = self.monitor.tree.find(b"/d")
        assert found is not None
        self.directory = found
        [self.subscription] = self.monitor.subscriptions

    def changed(self, mask: int, name: bytes = b"big") -> list[Effect]:
        batch = [Change(self.directory, mask, 0, name)]
        return self.monitor.changed(batch, self.shell.now)

    def go_on(self, effects: list[Effect]) -> list[Effect]:
        [more] = [each for each in effects if isinstance(each, Remove)]
        return self.monitor.go_on(more, self.shell.now)

    def end(self, effects: list[Effect]) -> list[str]:
        """What is reported until nothing is left to be removed."""
        seen: list[str] = []
        while any(isinstance(each, Remove) for each in effects):
            effects = self.go_on(effects)
            seen += words(effects)
        return seen


def words(effects: list[Effect]) -> list[str]:
    rows = [row for each in effects if isinstance(each, Deliver) for row in each.rows]
    return as_words(as_rows(rows))


EVERYTHING = {
    "deleted /d/big/",
    "deleted /d/big/sub/",
    "deleted /d/big/sub/deep/",
    *(f"deleted /d/big/{number}" for number in range(6)),
    *(f"deleted /d/big/sub/{number}" for number in range(6)),
}
