"""A connection in the Watchman language that waits for each answer."""

import json
import socket
from pathlib import Path
from types import TracebackType


class Asker:
    def __init__(self, connected: socket.socket, seconds: float = 30.0) -> None:
        """An answer that takes longer than `seconds` is a failure of the test."""
        connected.settimeout(seconds)
        self._connected = connected
        self._lines = connected.makefile("rb")

    def __enter__(self) -> "Asker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()
        self._connected.close()

    def write(self, *request: object) -> None:
        self._connected.sendall(json.dumps(request).encode() + b"\n")

    def read(self) -> dict[str, object]:
        """The next answer, which may be an error."""
        line = self._lines.readline()
        assert line, "the server closed the connection"
        answer: dict[str, object] = json.loads(line)
        return answer

    def ask(self, *request: object) -> dict[str, object]:
        """The answer to a request that succeeds."""
        self.write(*request)
        answer = self.read()
        assert "error" not in answer, answer
        return answer

    def watch(self, root: Path) -> object:
        """Watch the root; return its clock."""
        self.ask("watch", str(root))
        return self.ask("clock", str(root))["clock"]

    def since(self, root: Path, clock: object) -> tuple[set[str], object]:
        """What changed in the root since the clock, and the new clock."""
        query = {"since": clock, "fields": ["name"]}
        answer = self.ask("query", str(root), query)
        assert not answer["is_fresh_instance"]
        names = answer["files"]
        assert isinstance(names, list)
        return set(names), answer["clock"]
