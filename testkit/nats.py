"""A real nats-server with JetStream for tests: on a free port, in one folder."""

import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from testkit.required import missing
from testkit.waiting import eventually


class NatsServer:
    """Started and killed as a test likes; what it stored stays."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("nats-server") is None:
            missing("nats-server")
        self._folder = folder
        folder.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, options: Sequence[str] = ()) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("nats-server", "-js", "-sd", str(self._folder / "store")),
                    *("-a", "127.0.0.1", "-p", str(self.port), *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(self._answers, what="nats-server listening")

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as caller:
                return caller.recv(4) == b"INFO"
        except OSError:
            return False
