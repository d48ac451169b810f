"""What a client of the libgamin protocol believes about one path, from its events.

A belief also yields the events that lead to a newer one. `request_state` adds request
numbers and the form of paths on the wire.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gamin.protocol.gam.packets import EventCode

# Looked up once: on 3.11 a member of an enum costs 0.1 µs each time.
_DELETED, _END_EXIST = int(EventCode.DELETED), int(EventCode.END_EXIST)
_THERE = {int(EventCode.EXISTS), int(EventCode.CREATED), int(EventCode.CHANGED)}


class Step(NamedTuple):
    """One event on the way from an old belief to a new one."""

    code: EventCode
    entry: bytes  # empty for the path itself
    certain: bool = True  # False: report it only if the file's ctime shows a change


class Belief:
    """What events say about a path and, if it is a directory, its entries."""

    __slots__ = ("complete", "names", "present", "touched")

    def __init__(self) -> None:
        self.present: bool | None = None
        self.complete: bool = False  # True: `names` holds every entry
        self.names: set[bytes] = set()
        self.touched: set[bytes] = set()  # entries that changed during a listing

    def note(self, code: int, entry: bytes) -> None:
        """Apply one event; `entry` is empty for the path itself."""
        if code in _THERE:
            if entry:
                self.names.add(entry)
            else:
                self.present = True
        elif code == _DELETED:
            if entry:
                self.names.discard(entry)
                return
            # A server does not report each entry of a deleted directory.
            self.present = False
            self.complete = True
            self.names.clear()
        elif code == _END_EXIST:
            self.complete = True

    def steps_to(
        self, new: "Belief", *, directory: bool, listed: bool
    ) -> Iterator[Step]:
        """Yield the events that lead a client with this belief to the `new` one.

        `listed`: the client has received its first listing completely. If not, new
        entries are reported as Exists. Changes of a directory's own metadata are not
        reported.
        """
        if new.present is False:
            yield from (Step(EventCode.DELETED, entry) for entry in sorted(self.names))
            if self.present is not False:
                yield Step(EventCode.DELETED, b"")
            return
        if self.present is False:
            yield Step(EventCode.CREATED, b"")
        elif self.present is None and not listed:
            yield Step(EventCode.EXISTS, b"")
        elif not directory:
            yield Step(EventCode.CHANGED, b"", b"" in new.touched)
        for entry in sorted(self.names - new.names):
            yield Step(EventCode.DELETED, entry)
        for entry in sorted(new.names):
            yield self._step_to_entry(entry, entry in new.touched, listed)

    def _step_to_entry(self, entry: bytes, touched: bool, listed: bool) -> Step:
        if entry in self.names:
            return Step(EventCode.CHANGED, entry, touched)
        if not listed:
            return Step(EventCode.EXISTS, entry)
        # Without a full listing (the "no exists" option) an unknown name may be old or
        # new; only its ctime shows whether there is anything to report.
        return Step(EventCode.CREATED, entry, self.complete or touched)
