"""What a follower knows of one tree: which paths there are."""

from collections.abc import Iterator

from gamin.events import Kind
from gamin.fleet import message
from gamin.fleet.message import FleetEvent
from gamin.protocol.watchman.client.belief import Belief

_KINDS = {kind.value: kind for kind in Kind}


class Mirror:
    """The paths of one tree, kept up to date by `apply`.

    >>> mirror = Mirror()
    >>> mirror.is_complete
    False
    """

    def __init__(self) -> None:
        self._belief = Belief()
        self.is_complete = False
        """The listing was received, and every change since."""

    def __contains__(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        names = self._belief.folders.get(folder)
        return isinstance(names, set) and name in names

    def __len__(self) -> int:
        return sum(map(len, filter(None, self._belief.folders.values())))

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self._belief.below(""))

    def is_dir(self, path: str) -> bool:
        """Raises KeyError for a path that is not there."""
        if path not in self:
            raise KeyError(path)
        return self._belief.is_folder(path)

    def apply(self, event: FleetEvent) -> None:
        """Take one event of the tree, in the order of the stream."""
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
