"""The client's end of a connection: requests out, replies and messages in.

Replies come in the order of the requests; messages of subscriptions come in between.
`watching` interprets the messages, `gamin.client` moves the bytes.
"""

from collections import deque
from typing import Any, NamedTuple

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.compact import CompactMessage, decode_message
from gamin.protocol.watchman.codec.framing import (
    REPLY_LIMIT,
    LineReader,
    decode,
    encode,
)
from gamin.protocol.watchman.errors import BadRequest

FIGURES = "gamin-figures"
"""In the place of the subscription: a message that the command of this name causes."""


class Reply(NamedTuple):
    """The answer to the oldest request that had none yet."""

    request: tuple[object, ...]
    value: dict[str, Any]

    @property
    def error(self) -> str | None:
        text = self.value.get("error")
        return text if text is None else str(text)


class Message(NamedTuple):
    """What the server reports to a subscription, or FIGURES."""

    subscription: str
    value: dict[str, Any]


Received = Reply | Message | CompactMessage


class ClientSession:
    """One connection. After a reconnect begin a new one."""

    def __init__(self) -> None:
        self._reader = LineReader(REPLY_LIMIT)
        self._unanswered: deque[tuple[object, ...]] = deque()

    def request(self, *request: object) -> bytes:
        """Return the bytes to send for a command and its arguments."""
        self._unanswered.append(request)
        return encode(request)

    def received(self, data: bytes) -> list[Received]:
        """Raises RemoteProtocolError if the other side does not speak this language."""
        if not self._reader.size and (compact := decode_message(data)) is not None:
            return [compact]  # as nearly always while little happens
        return [self._sorted(line) for line in self._reader.feed(data)]

    def _sorted(self, line: bytes) -> Received:
        compact = decode_message(line)
        if compact is not None:
            return compact
        try:
            value = decode(line)
        except BadRequest as error:
            raise RemoteProtocolError(str(error)) from None
        if not isinstance(value, dict):
            raise RemoteProtocolError("neither a reply nor a message")
        if "subscription" in value:
            return Message(str(value["subscription"]), value)
        if "figures" in value:
            return Message(FIGURES, value)
        if not self._unanswered:
            raise RemoteProtocolError("a reply that nobody asked for")
        return Reply(self._unanswered.popleft(), value)
