"""What a socket has not taken yet.

A client that asks for a large tree and then reads nothing makes the server keep the
answer: 20 MB for 200,000 files. No answer can be made while it is read, because BSER
counts its bytes and its rows at its begin. So an answer that has waited for a while is
compressed, to about a tenth; paths and numbers in JSON or BSER repeat themselves.
"""

import socket
import zlib
from collections import deque
from collections.abc import Iterable

PIECE_BYTES = 256 * 1024
"""Bytes that are compressed in one go: 0.8 ms. Small ones are compressed worse."""

LEVEL = 1
"""Of zlib: 350 MB/s, a tenth. Level 6 takes 2.5 times as long for a twelfth."""


class Unsent:
    """Bytes in the order in which they are to be sent."""

    def __init__(self) -> None:
        self._plain: deque[memoryview] = deque()
        """Views, because a copy of what is left after each piece costs the square of
        the length of a large answer."""
        self._packed: deque[bytes] = deque()
        """What follows, each piece compressed by itself."""
        self._packed_from = 0
        """Bytes that were compressed to these."""

    def __len__(self) -> int:
        """Bytes that are to be sent."""
        return self.plain_bytes + self._packed_from

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that it takes."""
        return self.plain_bytes + sum(map(len, self._packed))

    def add(self, pieces: Iterable[memoryview]) -> None:
        while self._packed:
            self._unpack()
        self._plain += pieces

    def clear(self) -> None:
        self._plain.clear()
        self._packed.clear()
        self._packed_from = 0

    def send(self, sock: socket.socket) -> None:
        """Send until there is nothing left. Raises BlockingIOError when the socket
        takes no more, and OSError when it is broken."""
        plain = self._plain
        while True:
            while plain:
                sent = sock.send(plain[0])
                if sent < len(plain[0]):
                    plain[0] = plain[0][sent:]
                else:
                    plain.popleft()
            if not self._packed:
                return
            self._unpack()

    @property
    def plain_bytes(self) -> int:
        """Bytes that are not compressed."""
        return sum(map(len, self._plain))

    def pack(self) -> bool:
        """Compress the last piece that is not. Return whether there is another one.
        What is sent next stays as it is."""
        plain = self._plain
        if self._has_more:
            last = plain.pop()
            if len(last) > PIECE_BYTES:
                plain.append(last[:-PIECE_BYTES])
                last = last[-PIECE_BYTES:]
            self._packed.appendleft(zlib.compress(last, LEVEL))
            self._packed_from += len(last)
        if self._has_more:
            return True
        if plain:
            plain[0] = memoryview(bytes(plain[0]))  # of something large, perhaps
        return False

    @property
    def _has_more(self) -> bool:
        plain = self._plain
        return len(plain) > 1 or (bool(plain) and len(plain[0]) > PIECE_BYTES)

    def _unpack(self) -> None:
        data = zlib.decompress(self._packed.popleft())
        self._packed_from -= len(data)
        self._plain.append(memoryview(data))
