"""Holds the events of a client until nothing happens to their paths any more.

This is `settle` of `gamin.watch`: a path is reported when nothing happened to it for a
span, each path by itself, and after 50 spans at the latest. What happened meanwhile
becomes one event (`net_change`). The client's belief is current all the time; only
events wait here.

Silence of the server is not silence of the path: flow control may defer a report, and
polling detects late. So before an event is released, the server is asked
(`gamin-activity`). There is no clock here: `now` is an argument, in seconds.

A renamed directory is reported at once, because everything in it has another path from
then on. So is a watched directory that is deleted or comes back.
"""

from collections.abc import Callable, Iterable, Sequence

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.activity import Activity
from gamin.protocol.watchman.client.held_clock import HeldChange
from gamin.protocol.watchman.client.held_path import Held, Schedule
from gamin.protocol.watchman.client.net_change import NetChange
from gamin.protocol.watchman.client.releasing import Releasing

MAX_SPANS = 50
"""Spans after which a path is reported although something still happens to it."""
MAX_ASKED = 500
"""Paths about which the server is asked at a time."""
MIN_PAUSE = 0.001
"""Seconds between two questions about the same path; what is due sooner is due."""


class Settling:
    def __init__(self, span: float, is_root: Callable[[str], bool]) -> None:
        """`is_root` says whether a path is a watched one."""
        self._span = span
        self._is_root = is_root
        self._held: dict[str, Held] = {}
        self._sources: dict[str, str] = {}
        """The reported names of renamed files that are held, with their new names."""
        self._releasing = Releasing(self._held, self._sources)
        self._schedule = Schedule()
        self._reported: dict[str, float | None] = {}
        """Paths that were released before the server reported their last change, with
        the stamp of that."""
        self._now = 0.0
        self._is_certain = True

    @property
    def is_empty(self) -> bool:
        return not self._held

    def held(self) -> list[HeldChange]:
        """What waits here."""
        return [(path, held.change) for path, held in self._held.items()]

    def restore(self, changes: Iterable[HeldChange], now: float) -> None:
        """Hold what waited in an earlier watch (`held`)."""
        self._now = now
        for path, change in changes:
            held = self._hold(path, existed=change.existed, is_dir=change.was_dir)
            held.change = change
            if change.source is not None:
                self._sources[change.source] = path

    def replaced(self, root: str) -> None:
        """A listing comes, in the place of the changes at a watched path: it is what
        is there, so nothing that waits from before may be reported after it."""
        self._drop_below(root)
        if root in self._held:
            self.drop([root])

    # -- events come

    def add(
        self,
        events: Sequence[Event],
        now: float,
        *,
        is_certain: bool = True,
    ) -> list[Event]:
        """Hold the events of a batch; return those to be reported at once.
        `is_certain`: what they delete was there."""
        self._now, self._is_certain = now, is_certain
        out: list[Event] = []
        for event in events:
            kind, path, dest, is_dir, _ = event
            if kind is Kind.EXISTS:
                out.append(event)
                continue
            if kind is Kind.DELETED and self._is_root(path):
                self._drop_below(path)
            if is_dir and kind is not Kind.CHANGED and self._is_root(path):
                out.append(event)
            elif kind is not Kind.MOVED or dest is None:
                self._on_change(event)
            elif is_dir:
                self._on_moved_directory(event, path, dest, out)
            else:
                self._on_moved_file(event, path, dest)
        return out

    def _on_change(self, event: Event) -> None:
        kind, path, _, is_dir, _ = event
        late = kind is Kind.CHANGED and path in self._reported
        stamp = self._reported.pop(path, None)
        is_new = path not in self._held
        held = self._hold(path, existed=kind is not Kind.CREATED, is_dir=is_dir)
        change = held.change
        change.add_facts(event)
        if kind is Kind.CREATED:
            change.create(is_dir=is_dir)
        elif kind is Kind.CHANGED:
            change.change()
            if late and is_new:
                held.stamp, held.due = stamp, self._now
                self._schedule.push(held)
        else:
            if is_new:
                change.is_certain = self._is_certain
            self._lose_source(held)
            change.delete()

    def _on_moved_file(self, event: Event, path: str, dest: str) -> None:
        """The file at `path` is at `dest` now."""
        for each in (path, dest):
            self._reported.pop(each, None)
        there = self._held.get(dest)
        if there is not None:
            self._lose_source(there)
        gone = self._held.get(path)
        before = None if gone is None else gone.change
        origin: str | None = path
        if before is not None:
            # What was reported by that name may have been something else.
            is_other = before.source is not None or not before.is_reported_file
            origin = before.source or (None if is_other else path)
            if before.source is not None:
                del self._sources[before.source]
            if is_other and before.existed:  # what it replaced is gone
                before.delete()
                gone = None
        held = self._rename(gone, dest)
        change = held.change
        change.add_facts(event)
        change.exists, change.is_dir = True, False
        if before is not None:
            change.carry(before)
        if origin == dest:
            change.existed = True
        elif origin is not None:
            change.source = origin
            self._sources[origin] = dest

    def _rename(self, gone: Held | None, dest: str) -> Held:
        """Hold `dest` in the place of `gone`, as long as either was held."""
        there = self._held.get(dest)
        past = None if there is None else there.change
        kept = there
        if gone is not None:
            del self._held[gone.path]
            if there is None or gone.first < there.first:
                kept = gone
            elif gone is not there:
                gone.is_open = False
        if kept is not there and there is not None:
            there.is_open = False
        if kept is None:
            return self._hold(dest, existed=False, is_dir=False)
        self._held.pop(dest, None)
        kept.path = dest
        kept.change = NetChange(existed=False, is_dir=False)
        if past is not None:
            kept.change.take_past(past)
        self._held[dest] = kept
        self._touch(kept)
        self._forget_question(kept)
        return kept

    def _lose_source(self, held: Held) -> None:
        """What is at the path is gone. A file that came there by a rename is so from
        the path by which it was last reported."""
        source = held.change.source
        if source is None:
            return
        held.change.source = None
        del self._sources[source]
        origin = self._held.get(source)
        if origin is None:
            origin = self._hold(source, existed=True, is_dir=False)
            origin.change.delete()
        else:
            origin.change.take_past(NetChange(existed=True, is_dir=False))

    def _on_moved_directory(
        self, event: Event, path: str, dest: str, out: list[Event]
    ) -> None:
        below, start = path + "/", len(path)
        moved = [h for p, h in self._held.items() if p == path or p.startswith(below)]
        here = self._held.get(path)
        if here is not None and here.change.is_new_directory:
            # It has no reported name to be renamed from, but what it replaced had.
            if here.change.existed:
                self._releasing.moved_from(path, out)
                out.append(Event(Kind.DELETED, path, None, here.change.was_dir))
            for held in moved:
                held.change.existed = False
        else:
            self._releasing.all_of(dest, out)
            self._releasing.parents(dest, out)
            out.append(event)
        moved = [held for held in moved if held.is_open]
        for held in moved:
            del self._held[held.path]
        for held in moved:
            held.path = dest + held.path[start:]
            replaced = self._held.get(held.path)
            if replaced is not None:
                held.change.take_past(replaced.change)
                replaced.is_open = False
            self._held[held.path] = held
            self._forget_question(held)
        self._sources.clear()
        for held in self._held.values():
            source = held.change.source
            if source is not None:
                if source.startswith(below):
                    held.change.source = source = dest + source[start:]
                self._sources[source] = held.path
        for held in moved:
            source = held.change.source
            if source and held.path.startswith(source + "/"):
                self._lose_source(held)  # no rename leads into its own place
        self._reported.clear()

    def _drop_below(self, root: str) -> None:
        """A watched path is gone, with everything in it or behind it."""
        below = root.rstrip("/") + "/"
        for path in [path for path in self._held if path.startswith(below)]:
            self._lose_source(self._held[path])
        self.drop([path for path in self._held if path.startswith(below)])
        for path in [path for path in self._reported if path.startswith(below)]:
            del self._reported[path]

    def drop(self, paths: Iterable[str]) -> None:
        """Nobody wants to know of these any more."""
        for path in paths:
            held = self._held[path]
            self._releasing.close(held)
            if held.change.source is not None:
                del self._sources[held.change.source]

    # -- what is held

    def _hold(self, path: str, *, existed: bool, is_dir: bool) -> Held:
        held = self._held.get(path)
        if held is None:
            change = NetChange(existed=existed, is_dir=is_dir)
            held = self._held[path] = Held(path, change)
            held.first = self._now
            self._touch(held)
            self._schedule.push(held)
        else:
            self._touch(held)
        return held

    def _touch(self, held: Held) -> None:
        held.touched, held.stamp = self._now, None
        held.due = min(self._now + self._span, self._latest(held))

    def _latest(self, held: Held) -> float:
        return held.first + MAX_SPANS * self._span

    def _forget_question(self, held: Held) -> None:
        """Its path is another one now, so the answer is not about it."""
        if held.is_asked:
            held.is_asked = False
            self._schedule.push(held)

    # -- events go

    def deadline(self) -> float | None:
        """When to call `due`; None while there is nothing to ask about."""
        return self._schedule.deadline()

    def due(self, now: float) -> tuple[list[Event], list[str]]:
        """Return the events to report without asking, and the paths to ask about.

        For those, call `answered` with what the server says.
        """
        out: list[Event] = []
        asked: list[str] = []
        while len(asked) < MAX_ASKED:
            soonest = self.deadline()
            if soonest is None or soonest > now:
                break
            held = self._schedule.pop()
            if held.is_asked:
                continue
            if held.due > now:
                self._schedule.push(held)
            elif now >= self._latest(held):
                self._releasing.release(held.path, out)
            else:
                held.is_asked, held.asked = True, now
                asked.append(held.path)
        return out, [path for path in asked if path in self._held]

    def flush(self) -> list[Event]:
        """Release everything."""
        out: list[Event] = []
        for path in list(self._held):
            self._releasing.release(path, out)
        return out

    def answered(
        self, paths: Sequence[str], activity: Sequence[Activity] | None, now: float
    ) -> list[Event]:
        """Return the events of those paths that are quiet.

        `activity` is what the server says of each; None: the server was lost. Where it
        does not apply any more, the server is asked again.
        """
        out: list[Event] = []
        for number, path in enumerate(paths):
            held = self._held.get(path)
            if held is None or not held.is_asked:
                continue
            held.is_asked = False
            if activity is None or held.touched > held.asked:
                held.stamp = None
                self._schedule.push(held)
            else:
                self._on_answer(held, activity[number], now, out)
        return out

    def _on_answer(
        self, held: Held, activity: Activity, now: float, out: list[Event]
    ) -> None:
        stamp, held.stamp = held.stamp, None
        if stamp is not None and stamp == activity.stamp:
            self._releasing.close(held)
            return
        quiet = now - held.touched if activity.quiet is None else activity.quiet
        missing = self._span + activity.interval - quiet
        if missing < MIN_PAUSE:
            self._releasing.release(held.path, out)
            if activity.is_unreported:
                self._reported[held.path] = activity.stamp
            return
        latest = max(self._latest(held), now)
        held.due = min(now + missing, latest)
        self._schedule.push(held)
