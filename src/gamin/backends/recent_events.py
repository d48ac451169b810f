"""Keeps the latest inotify events as they were read, for `CloseCheck`.

It needs to know when a file was last written, but asks seldom: only for a file that is
closed without a write right before. Noting that for each event as it is decoded took a
sixth of the time of decoding. So the events are kept as the kernel wrote them, and are
looked through when somebody asks.
"""

import time
from array import array

from gamin.backends.close_check import CloseCheck
from gamin.events import ATTRIB, CREATE, MODIFY, MOVED_FROM
from gamin.system import inotify

MAX_BYTES = 256 * 1024
"""Bytes of events that are kept: 5,000 to 8,000 events. When there are more, the older
half is dropped."""

_WRITES = frozenset((CREATE, MODIFY, ATTRIB))
"""Masks after which a file's modification time is no news. ATTRIB: its times may
have been set."""


class RecentEvents:
    def __init__(self) -> None:
        # Two large objects: each small one that stays would keep a megabyte of memory
        # around it from being given back after a storm.
        self._events = bytearray()
        self._pieces = array("q")
        """For each piece in `_events` its size, and the real time (ns) at which it was
        added."""
        self.now_ns: int = 0
        """The real time at which the last piece was added."""

    def add(self, piece: bytes) -> None:
        """Whole events, which are decoded now."""
        self.now_ns = time.time_ns()
        if piece:
            self._events += piece
            self._pieces.append(len(piece))
            self._pieces.append(self.now_ns)
            if len(self._events) > MAX_BYTES:
                self._drop_half()

    def _drop_half(self) -> None:
        pieces, dropped, count = self._pieces, 0, 0
        while dropped < MAX_BYTES // 2:
            dropped += pieces[count]
            count += 2
        del self._events[:dropped], pieces[:count]

    def move_to(self, check: CloseCheck) -> None:
        """Pass to `check` what the events say, and forget them."""
        pieces, end = self._pieces, 0
        for at in range(0, len(pieces), 2):
            start, end = end, end + pieces[at]
            _look_through(bytes(self._events[start:end]), pieces[at + 1], check)
        self._events, self._pieces = bytearray(), array("q")


def _look_through(piece: bytes, now_ns: int, check: CloseCheck) -> None:
    modified, sources = check.modified, dict[int, tuple[int, bytes]]()
    offset, end = 0, len(piece)
    while offset < end:
        wd, mask, cookie, size = inotify.HEADER.unpack_from(piece, offset)
        start = offset + inotify.HEADER.size
        offset = start + size
        if mask in _WRITES:
            modified[wd, piece[start:offset]] = now_ns
        elif cookie:
            entry = (wd, piece[start:offset])
            if mask & MOVED_FROM:
                sources[cookie] = entry
            elif cookie in sources:
                check.renamed(sources.pop(cookie), entry)
