"""Whether a file changed that was closed after it was open for writing.

The kernel reports a write (MODIFY) and the end of writing (CLOSE_WRITE). What a program
writes through a mapping (man 2 mmap) has no event of its own: the file's modification
time moves at the first write, and CLOSE_WRITE comes when the mapping ends. Most files
that are closed without a MODIFY before were only locked or read, though, and clients
must not hear of these. So their modification time is looked up: it is news if it is
later than the last CREATE, MODIFY or ATTRIB of the file, and than the watch.

The times of these events are those at which they were read, and only the latest few
thousand are kept. Of a file that is older than these, a change may be reported a second
time.
"""

import os
import time
from bisect import bisect_right
from contextlib import suppress

MAX_KEPT = 4096
"""Files in each of two generations whose last MODIFY is remembered."""
MAX_GROUPS = 1024
"""Groups of watches whose beginning is remembered."""
File = tuple[int, bytes]
"""The number of a directory's watch, and a name."""


class CloseCheck:
    """Numbers of watches only ever grow, so those that began later have higher ones."""

    def __init__(self) -> None:
        self.modified: dict[File, int] = {}
        """Real time (ns) up to which a file's content is known to have been reported.
        Written by whoever decodes events, for each CREATE, MODIFY and ATTRIB."""
        self._earlier: dict[File, int] = {}
        self._first: list[int] = []
        """The first watch of each group, and the real time (ns) at which it began."""
        self._began: list[int] = []
        self.is_group_open = False
        """Whether a watch that begins now belongs to the last group."""

    def watched(self, number: int) -> None:
        """A watch began, the first one since the last drain."""
        self.is_group_open = True
        if self._first and number <= self._first[-1]:
            return  # numbers began anew; it counts as older than it is
        self._first.append(number)
        self._began.append(time.time_ns())
        if len(self._first) > MAX_GROUPS:
            # Those of a group that is dropped count as older than they are.
            del self._first[1::2], self._began[1::2]

    def begin(self) -> None:
        """A drain begins: a new group of watches, and the oldest files are forgotten
        when there are many."""
        self.is_group_open = False
        if len(self.modified) > MAX_KEPT:
            self._earlier, self.modified = self.modified, {}

    def is_changed(self, file: File, path: bytes, now_ns: int) -> bool:
        """Whether the file at `path`, closed without a MODIFY right before, changed.

        `now_ns` is when its events were read. A file that cannot be looked at counts
        as changed, unless its last MODIFY is remembered.
        """
        known = self.modified.get(file) or self._earlier.get(file)
        changed_ns = now_ns if known is None else 0
        with suppress(OSError):
            changed_ns = os.lstat(path).st_mtime_ns
        since = self._since(file[0]) if known is None else known
        self.modified[file] = max(now_ns, changed_ns)
        return changed_ns > since

    def renamed(self, old: File, new: File) -> None:
        known = self.modified.get(old) or self._earlier.get(old)
        if known is not None:
            self.modified[new] = known

    def _since(self, number: int) -> int:
        """When the watch began, at the earliest."""
        index = bisect_right(self._first, number) - 1
        return self._began[index] if index >= 0 else 0
