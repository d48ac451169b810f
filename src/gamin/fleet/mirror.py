"""What a follower knows of one tree: which paths there are."""

from collections.abc import Iterator

from gamin.events import Kind
from gamin.fleet import message
from gamin.fleet.message import FleetEvent


class Mirror:
    """The paths of one tree, kept up to date by `apply`.

    >>> mirror = Mirror()
    >>> mirror.is_complete
    False
    """

    def __init__(self) -> None:
        self._paths: dict[str, bool] = {}
        self.is_complete = False
        """The listing was received, and every change since."""

    def __contains__(self, path: str) -> bool:
        return path in self._paths

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def is_dir(self, path: str) -> bool:
        """Raises KeyError for a path that is not there."""
        return self._paths[path]

    def apply(self, event: FleetEvent) -> None:
        """Take one event of the tree, in the order of the stream."""
        match event.kind:
            case message.RESYNC:
                self._paths.clear()
                self.is_complete = False
            case message.LISTING:
                self._paths.update(event.entries)
            case message.RESYNCED:
                self.is_complete = True
            case Kind.CREATED:
                self._replace(event.path, event.is_dir)
            case Kind.DELETED:
                self._remove(event.path)
            case Kind.MOVED if event.dest is not None:
                self._move(event.path, event.dest, event.is_dir)

    def _replace(self, path: str, is_dir: bool) -> None:
        if not is_dir and self._paths.get(path):
            self._remove(path)
        if path:
            self._paths[path] = is_dir

    def _remove(self, path: str) -> None:
        if not path:
            self._paths.clear()
            return
        if self._paths.pop(path, False):
            for below in self._below(path):
                del self._paths[below]

    def _move(self, path: str, dest: str, is_dir: bool) -> None:
        below = self._below(path) if self._paths.get(path) else []
        moved = {dest + each[len(path) :]: self._paths.pop(each) for each in below}
        self._paths.pop(path, None)
        self._remove(dest)
        self._paths[dest] = is_dir
        self._paths |= moved

    def _below(self, path: str) -> list[str]:
        prefix = path + "/"
        return [each for each in self._paths if each.startswith(prefix)]
