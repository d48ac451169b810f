"""Buffers events that were read from the kernel's queue and are not decoded yet.

The queue holds a limited number of events (fs.inotify.max_queued_events, 16,384 by
default); any more are lost. One program causes 500 events in a millisecond, and
applying an event takes longer than causing it. A server that read only after it has
applied everything before would lose events in any storm of a tenth of a second. Reading
alone is several times faster than causing events, so it is done ahead, piece by piece.
"""

from collections import deque

from gamin.system.inotify import BUFFER, MAX_EVENT_BYTES, Reader

MAX_AHEAD_BYTES = 16 * 1024 * 1024
"""The most bytes to buffer: 350,000 to 500,000 events. Beyond that the kernel's queue
may overflow, because nothing here may grow without a limit."""


class ReadAhead:
    """Pieces of whole events, in their order.

    Positions are counts of bytes since the start.
    """

    def __init__(self, reader: Reader, most: int = MAX_AHEAD_BYTES) -> None:
        self._reader = reader
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._read = 0
        self.queued_bytes: int = 0
        """The position of the end of the kernel's queue when it was last read."""
        self.taken: int = 0
        """The position up to which `take` has returned events."""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def read_ahead(self) -> None:
        """Read what is queued. Ends after one read if that shows an empty queue."""
        pieces = self._pieces
        while self._read - self.taken < self._most:
            piece = self._reader.read()
            if piece:
                # Small pieces are joined, since each has a fixed cost. In a storm 1,000
                # pieces took a twelfth more CPU than 200 with the same content
                # (measured).
                if pieces and len(pieces[-1]) + len(piece) <= BUFFER:
                    pieces[-1] += piece
                else:
                    pieces.append(piece)
                self._read += len(piece)
            if len(piece) <= BUFFER - MAX_EVENT_BYTES:
                self.queued_bytes = self._read
                return
        self.queued_bytes = self._read + self._reader.queued()

    def take(self) -> bytes:
        """The next piece; empty if there is none."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self.taken += len(piece)
        return piece
