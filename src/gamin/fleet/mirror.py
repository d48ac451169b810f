"""What a follower knows of one tree: which paths there are.

A durable consumer that was killed gets messages again that it has applied. A rename is
not the same when it is applied twice: the directory that it moves may be another one by
then. So a message that is not newer than the last one changes nothing, unless it begins
a listing, after which everything is said again.
"""

from collections.abc import Iterator

from gamin.events import Kind
from gamin.fleet import message
from gamin.fleet.message import FleetEvent
from gamin.protocol.watchman.client.belief import Belief

_KINDS = {kind.value: kind for kind in Kind}


class Mirror:
    """The paths of one tree, kept up to date by `apply`.

    `path in mirror`, `len(mirror)` and iterating over it are as for a set of paths.

    >>> mirror = Mirror()
    >>> mirror.is_complete
    False
    """

    def __init__(self) -> None:
        self._belief = Belief()
        self.is_complete: bool = False
        """Whether the listing was received, and every change since."""
        self._latest = 0
        """The position in the stream of the last message that was applied."""

    def __contains__(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        names = self._belief.folders.get(folder)
        return isinstance(names, set) and name in names

    def __len__(self) -> int:
        return sum(map(len, filter(None, self._belief.folders.values())))

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self._belief.below(""))

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory.

        Raises:
            KeyError: the path is not there.
        """
        if path not in self:
            raise KeyError(path)
        return self._belief.is_folder(path)

    def apply(self, event: FleetEvent) -> None:
        """Take one event of the tree, in the order of the stream.

        One that comes again changes nothing.
        """
        position = event.stream_sequence
        if event.kind != message.RESYNC and 0 < position <= self._latest:
            return
        self._latest = position or self._latest
        match event.kind:
            case message.RESYNC:
                self._belief = Belief()
                self.is_complete = False
            case message.LISTING:
                self._belief.apply(
                    (Kind.EXISTS, path, is_dir, None) for path, is_dir in event.entries
                )
            case message.RESYNCED:
                self.is_complete = True
            case message.MISSED:
                self.is_complete = False
            case Kind.MOVED if event.dest is not None:
                self._apply(Kind.MOVED, event.dest, event.is_dir, event.path)
            case _:
                self._apply(_KINDS[event.kind], event.path, event.is_dir)

    def _apply(
        self, kind: Kind, path: str, is_dir: bool, source: str | None = None
    ) -> None:
        self._belief.apply([(kind, path, is_dir, source)])
