"""Our command `watchman` on a PATH of its own, with a session of its own.

The server is started by whoever asks first, as for a user, and ended with the block.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gamin.cli.main import main
from gamin.client.locate import NoServer
from testkit.watches import signal_server


@dataclass(frozen=True, slots=True)
class Installed:
    folder: Path
    environ: Mapping[str, str]
    """Of programs that should find our command and no other."""

    def run(
        self, words: Sequence[str], cwd: Path | None = None, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Any program, to its end."""
        return subprocess.run(
            words,
            cwd=cwd or self.folder,
            env=dict(self.environ),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def watchman(
        self, *words: str, stdin: bytes = b"", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return self.run(["watchman", *words], stdin=stdin, cwd=cwd)

    def reply(self, *request: object) -> dict[str, Any]:
        """The reply to a request that is given as JSON."""
        done = self.watchman("-j", "--no-pretty", stdin=json.dumps(request).encode())
        assert done.returncode == 0, done
        reply: dict[str, Any] = json.loads(done.stdout)
        return reply


@contextmanager
def installed(session: str) -> Iterator[Installed]:
    # The path of a socket has at most 107 bytes; the directories of tests have more.
    with TemporaryDirectory(prefix="wm-") as name:
        yield from _installed(Path(name).resolve(), session)


@contextmanager
def installed_by_others() -> Iterator[Installed]:
    """The `watchman` that is on the PATH of everybody, with a state of its own."""
    with TemporaryDirectory(prefix="wm-") as name:
        folder = Path(name).resolve()
        own = {"HOME": str(folder), "TMPDIR": str(folder), "USER": "me"}
        this = Installed(folder, {**_without_watchmen(), **own})
        try:
            yield this
        finally:
            this.watchman("--no-spawn", "shutdown-server")


def _without_watchmen() -> dict[str, str]:
    """The environment, without what says where a server is."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GAM", "WATCHMAN", "HG", "GIT_"))
    }


def _installed(folder: Path, session: str) -> Iterator[Installed]:
    programs = folder / "bin"
    programs.mkdir()
    environ = _without_watchmen() | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "GAM_CLIENT_ID": session,
        "GAMIN_SOCKET_DIR": str(folder),
    }
    this = Installed(folder, environ)
    # In this process, as is the end: a second interpreter would cost as much as a test.
    assert main(["watchman", "install", str(programs)]) == 0
    try:
        yield this
    finally:
        with suppress(NoServer):
            signal_server(signal.SIGTERM, ends=True, environ=environ)
