"""Paths that are added to a live watch, or taken from it.

Any thread asks for it. Whoever runs the watch's driver carries it out, and says so.
"""

import os
import threading
from collections.abc import Sequence

from gamin.client.channel import Channel
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Watching, WatchRefused


class PathChange:
    """Paths to add, with their options, and paths to take away."""

    def __init__(
        self,
        *,
        add: Sequence[tuple[str, WatchOptions | None]] = (),
        remove: Sequence[str] = (),
        wakes_descriptor: bool = False,
    ) -> None:
        """`remove` has keys. `wakes_descriptor`: a task waits for `descriptor`."""
        self._add = add
        self._remove = remove
        self.keys: list[str] = []
        """The keys of the paths that were added."""
        self.is_done: bool = False
        self._done = threading.Lock()
        self._done.acquire()
        self.descriptor: int = os.eventfd(0, os.EFD_CLOEXEC) if wakes_descriptor else -1
        """Readable when it is carried out."""

    def start(self, channel: Channel) -> None:
        """Send the requests."""
        watching = channel.watching
        for key in self._remove:
            channel.drop(key)
            channel.send(watching.remove(key))
        for text, options in self._add:
            key, request = watching.add(text, options)
            channel.send(request)
            self.keys.append(key)

    def is_carried_out(self, watching: Watching) -> bool:
        """Whether everything is really watched, or refused; whoever waits goes on."""
        if not all(map(watching.is_ready, self.keys)):
            return False
        self.is_done = True
        self._done.release()
        if self.descriptor >= 0:
            os.eventfd_write(self.descriptor, 1)
        return True

    def wait(self, seconds: float) -> None:
        """Wait until it is carried out, at most so long."""
        if self._done.acquire(timeout=seconds):
            self._done.release()

    def check(self, watching: Watching) -> None:
        """Raises WatchRefused if the server rejected one of the paths."""
        refusals = [watching.take_refusal(key) for key in self.keys]
        for refusal in refusals:
            if refusal is not None:
                raise WatchRefused(refusal)

    def close(self) -> None:
        """Nobody waits any more."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
