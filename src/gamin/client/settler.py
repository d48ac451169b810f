"""`settle` of a watch: runs `Settling` on the watch's channel and clock."""

from collections.abc import Callable, Iterable

from gamin.client.channel import Channel
from gamin.events import Event
from gamin.protocol.watchman.client import held_clock
from gamin.protocol.watchman.client.events import is_full_listing
from gamin.protocol.watchman.client.held_clock import HeldChange
from gamin.protocol.watchman.client.settling import Settling
from gamin.protocol.watchman.client.watching import Batch


class Settler:
    def __init__(self, channel: Channel, monotonic: Callable[[], float]) -> None:
        watching = channel.watching
        self._channel = channel
        self._monotonic = monotonic
        self._settling = Settling(
            watching.settle, lambda path: bool(watching.keys_of(path))
        )
        self._settling.restore(watching.held, monotonic())
        self._released: list[Event] = []
        self._is_late = bool(watching.held)
        """Something is held that the client missed before it connected."""

    @property
    def clock(self) -> str | None:
        """The clock to continue from: that of the last batch, and what is held."""
        return held_clock.join(self._channel.clock, self._settling.held())

    @property
    def is_late(self) -> bool:
        return self._is_late and not self._settling.is_empty

    def take(self, batch: Batch) -> None:
        """Hold the events of the channel's first batch."""
        channel = self._channel
        is_late = channel.catching_up
        self._is_late = is_late or self.is_late
        now = self._monotonic()
        channel.take(batch)
        if is_full_listing(batch.events):
            self._settling.replaced(dict(channel.watching.paths())[batch.key])
        self._released += self._settling.add(batch.events, now, is_certain=not is_late)

    def flush(self) -> list[Event]:
        """Return the events of all that is held: nothing more will come."""
        return self._settling.flush()

    def due_in(self) -> float | None:
        """Seconds until `released` may have something to ask or to return."""
        deadline = self._settling.deadline()
        if deadline is None or not self._channel.is_serving:
            return None
        return max(0.0, deadline - self._monotonic())

    def released(self) -> list[Event]:
        """Return the events to yield now, and ask the server about what may be due."""
        channel, settling = self._channel, self._settling
        events, self._released = self._released, []
        if channel.batches:  # they came before the answers
            return events
        questions, now = channel.watching.questions, self._monotonic()
        for paths, activity in questions.take_answers():
            events += settling.answered(paths, activity, now)
        if channel.is_serving:
            found, asked = settling.due(now)
            events += found
            request, outside = questions.ask(asked, dict(channel.watching.paths()))
            channel.send(request)
            settling.drop(outside)
        return events


def events_of(changes: Iterable[HeldChange], listed: Iterable[str] = ()) -> list[Event]:
    """What was held elsewhere (`Settling.held`), as it is reported by a watch that
    receives a listing of each of the watched paths in `listed`."""
    settling = Settling(0.0, lambda _path: False)
    settling.restore(changes, 0.0)
    for root in listed:
        settling.replaced(root)
    return settling.flush()
