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
from itertools import islice

SEND_BYTES = 1 << 20
"""Bytes that are sent before others get their turn, though a client that reads fast
makes room for more: 1 ms."""
PIECES_TOGETHER = 256
"""Pieces that one system call sends: an answer may have one for each directory."""

PIECE_BYTES = 256 * 1024
"""Bytes that are compressed in one go: 0.8 ms. Small ones are compressed worse."""

LEVEL = 1
"""Of zlib: 350 MB/s, a tenth. Level 6 takes 2.5 times as long for a twelfth."""


class Unsent:
    """Bytes in the order in which they are to be sent."""

    def __init__(self) -> None:
        self._plain: deque[bytes | memoryview] = deque()
        """Views of what was sent in part, because a copy of what is left after each
        piece costs the square of the length of a large answer."""
        self.plain_bytes: int = 0
        """Bytes that are not compressed."""
        self._packed: deque[bytes] = deque()
        """What follows, each piece compressed by itself."""
        self._packed_from = 0
        """Bytes that were compressed to these."""

    def __len__(self) -> int:
        """Bytes that are to be sent."""
        return self.plain_bytes + self._packed_from if self._plain else 0

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that it takes."""
        if not self._plain:  # and so nothing is packed
            return 0
        return self.plain_bytes + sum(map(len, self._packed))

    def add(self, pieces: Iterable[bytes | memoryview]) -> None:
        while self._packed:
            self._unpack()
        some = [piece for piece in pieces if piece]
        self._plain += some
        self.plain_bytes += sum(map(len, some))

    def clear(self) -> None:
        self._plain.clear()
        self.plain_bytes = 0
        self._packed.clear()
        self._packed_from = 0

    def send(self, sock: socket.socket) -> bool:
        """Send some; return whether nothing is left. Raises BlockingIOError when the
        socket takes no more, and OSError when it is broken."""
        left = SEND_BYTES
        while left > 0:
            if not self._plain:
                if not self._packed:
                    return True
                self._unpack()
            first = self._plain[0]
            if len(first) > left:
                sent = sock.send(memoryview(first)[:left])
            else:
                sent = sock.sendmsg(islice(self._plain, PIECES_TOGETHER))
            left -= sent
            self._drop(sent)
        return not len(self)

    def _drop(self, count: int) -> None:
        """So many bytes are sent."""
        plain = self._plain
        self.plain_bytes -= count
        while count > 0:
            first = plain[0]
            if len(first) > count:
                plain[0] = memoryview(first)[count:]
                return
            count -= len(first)
            plain.popleft()

    def pack(self) -> bool:
        """Compress the last bytes that are not. Return whether there are others. What
        is sent next stays as it is."""
        plain = self._plain
        last: list[bytes | memoryview] = []
        size = 0
        while self._has_more and size < PIECE_BYTES:
            piece, most = plain.pop(), PIECE_BYTES - size
            if len(piece) > most:
                view = memoryview(piece)
                plain.append(view[:-most])
                piece = view[-most:]
            last.append(piece)
            size += len(piece)
        if last:
            self._packed.appendleft(zlib.compress(b"".join(reversed(last)), LEVEL))
            self._packed_from += size
            self.plain_bytes -= size
        if self._has_more:
            return True
        if plain:
            plain[0] = bytes(plain[0])  # of something large, perhaps
        return False

    @property
    def _has_more(self) -> bool:
        plain = self._plain
        return len(plain) > 1 or (bool(plain) and len(plain[0]) > PIECE_BYTES)

    def _unpack(self) -> None:
        data = zlib.decompress(self._packed.popleft())
        self._packed_from -= len(data)
        self._plain.append(data)
        self.plain_bytes += len(data)
