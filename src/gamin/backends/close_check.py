"""Decides whether a file that was open for writing, and was closed, has changed.

The kernel reports a write (MODIFY) and the end of writing (CLOSE_WRITE). What a program
writes through a mapping (man 2 mmap) has no event of its own: the file's modification
time moves at the first write, and CLOSE_WRITE comes when the mapping ends. Most files
that are closed without a MODIFY before were only locked or read, though, and clients
must receive no event about these. So their modification time is checked: the file has
changed if that time is later than the file's last CREATE, MODIFY or ATTRIB, and later
than the beginning of the watch.

The time of these events is when they were read, and only the latest few thousand are
kept. A change of a file whose last event is older may be reported twice.
"""

import os
import time
from bisect import bisect_right
from contextlib import suppress

MAX_KEPT = 4096
"""The most files, in each of two generations, whose last event is remembered."""
MAX_GROUPS = 1024
"""The most groups of watches whose beginning is remembered."""
File = tuple[int, bytes]
"""The number of a directory's watch, and a name."""


class CloseCheck:
    """Remembers until when the changes of each file were reported.

    Numbers of watches only grow, so a watch that began later has a higher number.
    """

    def __init__(self) -> None:
        self.modified: dict[File, int] = {}
        """Real time (ns) up to which a file's content is known to have been reported.
        Before `is_changed` is asked, the decoder of events records here each CREATE,
        MODIFY and ATTRIB."""
        self._earlier: dict[File, int] = {}
        self._first: list[int] = []
        """The first watch of each group, and the real time (ns) at which it began."""
        self._began: list[int] = []
        self.is_group_open: bool = False
        """Whether a watch that begins now joins the last group."""

    def watched(self, number: int) -> None:
        """The watch `number` began; it is the first since the last drain."""
        self.is_group_open = True
        if self._first and number <= self._first[-1]:
            return  # the numbers started again; it counts as older than it is
        self._first.append(number)
        self._began.append(time.time_ns())
        if len(self._first) > MAX_GROUPS:
            # The watches of a dropped group count as older than they are.
            del self._first[1::2], self._began[1::2]

    def begin(self) -> None:
        """A drain begins: start a new group of watches, and forget the oldest files if
        there are too many."""
        self.is_group_open = False
        if len(self.modified) > MAX_KEPT:
            self._earlier, self.modified = self.modified, {}

    def is_changed(self, file: File, path: bytes, now_ns: int) -> bool:
        """Whether the file at `path`, closed without a MODIFY right before, changed.

        `now_ns` is when its events were read. A file without an accessible status
        counts as changed, unless its last event is remembered.
        """
        known = self.modified.get(file) or self._earlier.get(file)
        changed_ns = now_ns if known is None else 0
        with suppress(OSError):
            changed_ns = os.lstat(path).st_mtime_ns
        since = self._since(file[0]) if known is None else known
        self.modified[file] = max(now_ns, changed_ns)
        if since > now_ns:  # the clock was set back, or the file's time is set ahead
            return changed_ns != since
        return changed_ns > since

    def renamed(self, old: File, new: File) -> None:
        known = self.modified.get(old) or self._earlier.get(old)
        if known is not None:
            self.modified[new] = known

    def _since(self, number: int) -> int:
        """The earliest real time (ns) at which the watch can have begun."""
        index = bisect_right(self._first, number) - 1
        return self._began[index] if index >= 0 else 0
