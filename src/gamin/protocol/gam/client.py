"""The client's session in the libgamin protocol: its requests and their events.

Bytes go in, events come out; a session outlives its connections. `gamin.client`
connects, waits, and reads the disk where a `NeedsStat` asks for it.
"""

from gamin.errors import GaminError
from gamin.protocol.gam.packets import (
    MAX_NUMBER,
    EventCode,
    Packet,
    PacketReader,
    RequestCode,
)
from gamin.protocol.gam.request_state import Event, NeedsStat, Received, RequestState

__all__ = ["ClientSession", "Event", "NeedsStat", "TooManyRequests", "UnknownNumber"]


class TooManyRequests(GaminError):
    """Every number of the 16-bit range is in use by a request."""

    def __str__(self) -> str:
        return f"one connection has room for {MAX_NUMBER} requests; cancel some"


class UnknownNumber(GaminError):
    """No request has this number: it was never made, or is cancelled already."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return f"no request {self.number} to cancel"


class ClientSession:
    """Numbers the requests, keeps those in force, and decodes what arrives.

    When the connection ends, call `disconnected`; on the next one, send `replay()`
    first. The listing of a new server then comes out as ordinary events: the
    difference from what the client received before.
    """

    def __init__(self) -> None:
        self._requests: dict[int, RequestState] = {}  # by number, oldest first
        self._reader = PacketReader()
        # Numbers continue after a reconnect: an old request may still hold any of them.
        self._last = 0

    def watch_directory(
        self, path: bytes, *, now_ns: int, no_exists: bool = False
    ) -> tuple[int, bytes]:
        """Watch a directory: return the request's number and the bytes to send.

        `now_ns` is the wall clock in nanoseconds, which is compared with ctimes.
        `no_exists` leaves out the first listing. Raises TooManyRequests.
        """
        return self._watch(path, True, no_exists, now_ns)

    def watch_file(
        self, path: bytes, *, now_ns: int, no_exists: bool = False
    ) -> tuple[int, bytes]:
        """Watch one path, whatever it is or becomes; otherwise as `watch_directory`."""
        return self._watch(path, False, no_exists, now_ns)

    def cancel(self, number: int) -> bytes:
        """Cancel a request: return the bytes to send; only an Acknowledge follows.

        Raises UnknownNumber, also for a second call: the original server disconnects a
        client that cancels twice.
        """
        request = self._requests.get(number)
        if request is None or request.cancelled:
            raise UnknownNumber(number)
        request.cancelled = True
        return Packet(number, RequestCode.CANCEL).encode()

    def withdraw(self, number: int) -> None:
        """Forget a new request that could not be sent; no event will name it."""
        self._requests.pop(number, None)

    def received(self, data: bytes, now_ns: int) -> list[Received]:
        """Return the events in these bytes, in order. `now_ns` is the wall clock.

        Raises RemoteProtocolError if the caller must disconnect from the server.
        """
        results: list[Received] = []
        for number, code, path in self._reader.feed(data):
            request = self._requests.get(number)
            if request is None:
                continue  # the original may send events after the Acknowledge
            if not request.cancelled:
                results += request.received(code, path, now_ns)
            elif code == EventCode.ACKNOWLEDGE:
                del self._requests[number]
                results.append(Event(number, code, path))
        return results

    def disconnected(self) -> list[Event]:
        """The connection was lost: forget a partial packet and cancelled requests.

        Returns the Acknowledges that the lost server did not send.
        """
        self._reader = PacketReader()
        results = []
        for number, request in list(self._requests.items()):
            if request.cancelled:
                del self._requests[number]
                results.append(Event(number, EventCode.ACKNOWLEDGE, request.path))
            else:
                request.disconnected()
        return results

    def replay(self) -> bytes:
        """Return the bytes that repeat every request in force, oldest first."""
        return b"".join(request.encode() for request in self._requests.values())

    def _watch(
        self, path: bytes, directory: bool, no_exists: bool, now_ns: int
    ) -> tuple[int, bytes]:
        number = self._free_number()
        request = RequestState(
            number, path, directory=directory, no_exists=no_exists, now_ns=now_ns
        )
        self._requests[number] = request
        return number, request.encode()

    def _free_number(self) -> int:
        if len(self._requests) >= MAX_NUMBER:
            raise TooManyRequests
        self._last = self._last % MAX_NUMBER + 1
        while self._last in self._requests:
            self._last = self._last % MAX_NUMBER + 1
        return self._last
