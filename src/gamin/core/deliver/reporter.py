"""Gathers the rows that one operation reports, in order, by audience.

Consecutive rows for one audience share a list, so a storm in one tree makes one
`Deliver` per batch, however many subscribe to the tree.
"""

from gamin.core.effects import Effect, new_deliver
from gamin.core.model.audience import Audience
from gamin.events import AnyRow


class Reporter:
    def __init__(self, effects: list[Effect]) -> None:
        self._effects = effects
        self._audience: Audience | None = None
        self._recovered = False
        self._filtered = True
        self._rows: list[AnyRow] = []

    def report(
        self,
        audience: Audience,
        row: AnyRow,
        recovered: bool = False,
        filtered: bool = True,
    ) -> None:
        """Add a row for the audience, after all that was reported before.

        `recovered` says that a comparison with the disk found it after a loss;
        `filtered`, that the subscriptions' ignore rules apply to it.
        """
        if (
            audience is not self._audience
            or recovered is not self._recovered
            or filtered is not self._filtered
        ):
            if self._rows:
                self.close()
            if not audience.subscriptions:
                return
            self._audience = audience
            self._recovered, self._filtered = recovered, filtered
        self._rows.append(row)

    def rows_of(self, audience: Audience) -> list[AnyRow]:
        """The rows of an audience that has subscriptions, to append to directly.

        Valid until anything else is reported. The rows are filtered, not recovered.
        """
        if audience is not self._audience or self._recovered or not self._filtered:
            if self._rows:
                self.close()
            self._audience = audience
            self._recovered, self._filtered = False, True
        return self._rows

    def close(self) -> None:
        """Make a `Deliver` of the rows gathered last; every operation ends with it."""
        if self._rows and self._audience is not None:
            self._effects.append(
                new_deliver(
                    (
                        self._audience.subscriptions,
                        self._rows,
                        self._recovered,
                        not self._filtered,
                    )
                )
            )
        self._audience = None
        self._rows = []
