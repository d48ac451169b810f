"""A client of the feeds of the Watchman language, which keeps what it is sent."""

from typing import Any

from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.framing import decode
from gamin.protocol.watchman.codec.json_codec import JSON


class Listener:
    codec: Codec = JSON

    def __init__(self) -> None:
        self.is_blocked: bool = False
        self.messages: list[dict[str, Any]] = []

    def send(self, data: bytes) -> None:
        self.messages.append(decode(data))

    def flush(self) -> None:
        """Everything was sent at once."""

    def log_lines(self) -> list[tuple[str, str]]:
        """Level and text, without the time, of each message of the log."""
        return [(m["level"], m["log"].split(": ", 1)[-1]) for m in self.messages]
