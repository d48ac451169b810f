"""Gathers what is to be told in one batch, in order, by audience.

Rows for one audience that follow each other share a list, so a storm in one tree makes
one `Deliver` per batch whatever the number of its subscribers.
"""

from typing import Final

from gamin.core.effects import Deliver, Effect
from gamin.core.model.audience import Audience
from gamin.events import Row

# A NamedTuple's constructor takes three times as long.
_new: Final = tuple.__new__


class Reporter:
    def __init__(self, effects: list[Effect]) -> None:
        self._effects = effects
        self._audience: Audience | None = None
        self._rows: list[Row] = []
        self.recovering = False
        """What is told now was found by comparing, not by notification."""
        self.is_exempt = False
        """What is told now is not to be filtered by ignore rules any more."""

    def tell(self, audience: Audience, row: Row) -> None:
        if audience is not self._audience:
            if self._rows:
                self.close()
            if not audience.subscriptions:
                return
            self._audience = audience
        self._rows.append(row)

    def rows_of(self, audience: Audience) -> list[Row]:
        """The rows of a run for that audience (of somebody), to append to as long as
        nobody else tells anything."""
        if audience is not self._audience:
            if self._rows:
                self.close()
            self._audience = audience
        return self._rows

    def close(self) -> None:
        """End the run of rows; called at the end of a batch too."""
        if self._rows and self._audience is not None:
            subscriptions = self._audience.subscriptions
            told = (subscriptions, self._rows, self.recovering, self.is_exempt)
            self._effects.append(_new(Deliver, told))
        self._audience = None
        self._rows = []
