"""What was read from the kernel's queue and is not decoded yet.

The queue holds so many events (fs.inotify.max_queued_events, 16,384 by default), and
what does not fit into it is lost. One program makes 500 in a millisecond; to take one
in, with all that follows, lasts longer than to make it. So whoever reads only when
everything before was taken in loses some in any storm of a tenth of a second. Reading
alone is several times quicker than making them: here it is done ahead, piece by piece.
"""

from collections import deque

from gamin.system.inotify import BUFFER, MAX_EVENT_BYTES, Reader

MAX_AHEAD_BYTES = 16 * 1024 * 1024
"""Bytes, 350,000 to 500,000 events. Beyond that the kernel's queue is left to overflow,
for nothing here may grow without an end."""


class ReadAhead:
    """Pieces of whole events, in their order, and how far they were taken.

    Positions are counts of bytes since the start.
    """

    def __init__(self, reader: Reader, most: int = MAX_AHEAD_BYTES) -> None:
        self._reader = reader
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._read = 0
        self.queued_bytes = 0
        """Where the kernel's queue ended when it was last asked."""
        self.taken = 0
        """How far it was taken out again."""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def read_ahead(self) -> None:
        """Read what is queued; once, if that shows that there is no more."""
        while self._read - self.taken < self._most:
            piece = self._reader.read()
            if piece:
                self._append(piece)
                self._read += len(piece)
            if len(piece) <= BUFFER - MAX_EVENT_BYTES:
                self.queued_bytes = self._read
                return
        self.queued_bytes = self._read + self._reader.queued()

    def _append(self, piece: bytes) -> None:
        """Small ones are joined: each has a price of its own. In a storm 1,000 of them
        took a twelfth more CPU than 200 that held the same (measured)."""
        pieces = self._pieces
        if pieces and len(pieces[-1]) + len(piece) <= BUFFER:
            pieces[-1] += piece
        else:
            pieces.append(piece)

    def take(self) -> bytes:
        """The next piece; empty if there is none."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self.taken += len(piece)
        return piece
