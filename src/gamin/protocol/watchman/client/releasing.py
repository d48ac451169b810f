"""Reports held paths, each after what a reader must know before it; see `settling`."""

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.held_path import Held
from gamin.protocol.watchman.client.net_change import NetChange


class Releasing:
    def __init__(self, held: dict[str, Held], sources: dict[str, str]) -> None:
        """`held`: by path; `sources`: the reported names of renamed files that are
        held, with their new names. What is released leaves both."""
        self._held = held
        self._sources = sources
        self._present: dict[str, NetChange] = {}
        """What is being reported, by path; it waits for what must come before it."""

    def release(self, path: str, out: list[Event]) -> None:
        """Report the path, and before it what a reader must know before it."""
        held = self._held.get(path)
        if held is None:
            return
        self.close(held)
        change = self._present[path] = held.change
        self.parents(path, out)
        following = self._sources.get(path)
        if following in self._present:
            # Each of the two would have to be reported before the other one.
            del self._sources[path]
            self._present[following].source = None
            out.append(Event(Kind.DELETED, path))
        elif following is not None:
            self.release(following, out)
        if change.is_deleted_directory:
            self.moved_from(path, out)
            self.deletions_below(path, out)
        if change.source is not None:
            del self._sources[change.source]
        out += change.events(path)
        del self._present[path]

    def moved_from(self, directory: str, out: list[Event]) -> None:
        """Report the renames of files out of a directory that is gone."""
        below = directory + "/"
        for source, name in list(self._sources.items()):
            if source.startswith(below):
                self.release(name, out)

    def deletions_below(self, directory: str, out: list[Event]) -> None:
        """Report that what was reported in a directory is gone with it. What is there
        now by the same name is new."""
        below = directory + "/"
        names = [name for name in self._held if name.startswith(below)]
        for name in sorted(names, reverse=True):
            change = self._held[name].change
            if change.existed:
                change.existed = False
                out.append(Event(Kind.DELETED, name, None, change.was_dir))

    def parents(self, path: str, out: list[Event]) -> None:
        """Report the directories on the way to a path of which nobody knows yet."""
        parent = path.rpartition("/")[0]
        above: list[str] = []
        while parent:
            held = self._held.get(parent)
            if held is not None and held.change.is_new_directory:
                above.append(parent)
            parent = parent.rpartition("/")[0]
        for each in reversed(above):
            self.release(each, out)

    def all_of(self, path: str, out: list[Event]) -> None:
        """Report what became of a path and of all below it: others take their place."""
        below = path + "/"
        if path in self._sources:
            self.release(self._sources[path], out)
        self.moved_from(path, out)
        for name in [each for each in self._held if each.startswith(below)]:
            self.release(name, out)
        self.release(path, out)

    def close(self, held: Held) -> None:
        held.is_open = False
        del self._held[held.path]
