"""`gamin publish` as a process that a test starts, kills and starts again."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from testkit.nats import NatsServer
from testkit.programs import COMMAND

TREE = "data"
"""The name of the tree in the stream."""


class Published:
    """Publishes one tree from a settings file in `folder`, where its log is, too."""

    def __init__(
        self,
        nats: NatsServer,
        folder: Path,
        tree: Path,
        environ: Mapping[str, str],
        host: str = "web1",
    ) -> None:
        self._settings = folder / "publish.toml"
        self._settings.write_text(
            f'servers = ["{nats.url}"]\nhost = "{host}"\n'
            f'[[trees]]\npath = {json.dumps(str(tree))}\nname = "{TREE}"\n'
        )
        self._environ = {**os.environ, **environ}
        self.log = folder / "publish.log"
        self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*COMMAND, "publish", "--config", str(self._settings)],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        self.process = self._started()

    def stop(self) -> int:
        """Its exit status after SIGTERM."""
        self.process.terminate()
        return self.process.wait(20)
