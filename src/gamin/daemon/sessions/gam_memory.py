"""Remembers what clients of libgamin's language were sent, for the next server.

After the loss of a server libgamin asks the next one again for everything, without the
listings, and its program would never learn what happened in between. So a server
saves what it reported of each path and what each client asked for, and the next server
sends such a client the difference.

*Who gets a difference.* The option "no exists" is no sign of a client that comes back:
any program may set it, and a program that asks for the first time must not receive what
changed before. So a difference belongs to a connection of a *process*: its number, the
time of its start and the boot of the machine, which no other process has ever. libgamin
repeats its requests in their order, with their numbers, kinds and paths, before the
program can make new ones. The first request of a new connection must be among those
that a connection of the same process had at an earlier server. From there on each
request must come after the last one that was found; with the first one that is not
found the repetition is over. A saved connection serves one new connection.

What remains: a process that loses its server, opens a second connection before the
first one comes back, and begins there with the same number, kind and path and without
the listing, gets the difference in place of the first one: what happened while its
process had no server.

*What it costs.* A note in a set for whatever is sent, and nothing where the state is
off. A second after the first note, and at most every few seconds, what was noted is
saved (`gam_saving`); an idle server has no timer.
"""

import logging
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Protocol

from gamin.core.model.subscription import Subscription
from gamin.daemon.io.loop import Timer
from gamin.events import AnyRow, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gamin.daemon.sessions.gam import GamSession
    from gamin.daemon.sessions.gam_saving import GamSaving
    from gamin.daemon.sessions.hub import Service
    from gamin.protocol.gam.server import Monitor

logger: logging.Logger = logging.getLogger(__name__)

DELAY_SECONDS = 1.0
"""Seconds from the first thing that is sent to the save."""
MAX_INTERVAL_SECONDS = 5.0
"""Least time between two saves, unless the settings want a shorter one. What a client
received since the last save may be reported again after a kill; and of an entry that
was made after it, and is gone when the next server comes, no deletion is reported."""
INTERVAL_PER_COST = 100
"""Least time between two saves, as a multiple of what the last one took on the loop."""
SLICE_SECONDS = 0.003
"""Seconds of work for a save before other work runs."""


class Gap(Protocol):
    """The difference between two servers at one path."""

    def steps(self) -> Generator[None, None, None]:
        """Look at what is there; yields where other work may run."""

    def rows(self, listed: "Iterable[AnyRow]") -> list[Row]:
        """What happened; `listed` is the first listing of the path."""


class Repetition(Protocol):
    """The requests of a client that comes back."""

    def gap(self, request: "Monitor", subscription: Subscription) -> Gap | None:
        """What the client is owed for the next request; None if nothing is known."""

    @property
    def is_over(self) -> bool:
        """The client repeats nothing more."""


class GamMemory:
    def __init__(
        self, service: "Service", directory: bytes, session: bytes, start: int
    ) -> None:
        """`directory`: where the store is; empty if nothing is to be remembered."""
        self._service = service
        self._place = directory, session, start
        self.is_on: bool = bool(directory)
        self.noted: set[Subscription] = set()
        """Of which something was sent that is not saved."""
        self._is_armed = not self.is_on
        """A save will come, or is at work."""
        self._is_again = False
        """Something was noted while a save was at work."""
        self._timer: Timer | None = None
        self._steps: Generator[None, None, bool] | None = None
        self._cost = 0.0
        """Seconds that the save has taken on the loop."""
        self._earliest = 0.0
        """When the next save may be, by the monotonic clock."""
        self._made: GamSaving | None = None

    def _saving(self) -> "GamSaving":
        if self._made is None:
            # Late: a database and checksums, which a short visit does not need.
            from gamin.daemon.sessions.gam_saving import GamSaving

            self._made = GamSaving(self._service, *self._place)
        return self._made

    # -- noting

    def note(self, subscription: Subscription) -> None:
        """Something is sent of a subscription."""
        self.noted.add(subscription)
        if not self._is_armed:
            self._arm()

    def note_client(self) -> None:
        """A client has gone, has other requests than before, or reads again."""
        self._is_again = True
        if not self._is_armed:
            self._arm()

    def _arm(self) -> None:
        self._is_armed = True
        at = max(time.monotonic() + DELAY_SECONDS, self._earliest)
        self._timer = self._service.loop.call_at(at, self._begin)

    # -- saving

    def _begin(self) -> None:
        self._timer = None
        self._is_again = False
        if self._made is not None and self._made.is_writing:
            self._is_armed = False
            self._arm()
            return
        self._cost = 0.0
        self._steps = self._saving().steps(self.noted)
        self._go_on()

    def _go_on(self) -> None:
        """Work for a slice of time at the save, if it was not cancelled."""
        if self._steps is None:
            return
        began = time.monotonic()
        try:
            while True:
                next(self._steps)
                if time.monotonic() >= began + SLICE_SECONDS:
                    break
        except StopIteration:
            self._steps = None
        except BaseException:
            self._steps = None
            self._saving().start_anew()
            self._finish()
            raise
        self._cost += time.monotonic() - began
        if self._steps is None:
            self._finish()
        else:
            self._service.loop.call_soon(self._go_on)

    def _finish(self) -> None:
        interval = min(MAX_INTERVAL_SECONDS, self._service.state.save_interval)
        wait = max(interval, INTERVAL_PER_COST * self._cost)
        self._earliest = time.monotonic() + wait
        self._is_armed = False
        if self.noted or self._is_again:
            self._arm()

    def save(self) -> None:
        """Save what was noted, because the server ends; nothing is noted any more."""
        is_new = self._is_armed and self.is_on
        if self._steps is not None:
            self._steps = None
            self._saving().start_anew()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if is_new:
            self._saving().save(self.noted)
        elif self._made is not None:
            self._made.wait()
        self._is_armed = True
        self.noted = set()

    # -- coming back

    def repetition(
        self, session: "GamSession", requests: "Sequence[Monitor]"
    ) -> Repetition | None:
        """What is known of a client whose first requests these are; None if it is not
        one that comes back."""
        return self._saving().repetition(session, requests) if self.is_on else None
