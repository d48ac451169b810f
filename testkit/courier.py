"""courier-imap, where it is installed: mailboxes, and sessions of its real `imapd`.

`imapd` is the program behind the login: it serves one mailbox on its standard streams.
It learns of changes through libgamin from a server that runs already: libgamin waits
for a new one for a second, which is not enough on a busy machine.
"""

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from testkit.required import COURIER, missing
from testkit.servers import environment

PLACES = (Path("/"), Path("/opt/courier-imap"))
"""Where its packages may be installed, or unpacked."""
ANSWER_DEADLINE = 60.0
"""Seconds after which a test that waits for an answer ends."""
OWN_POLLING = 3600
"""Seconds after which an idle session polls by itself. It is long, so that what a
session reports comes from libgamin."""

_LIBRARIES = (
    "usr/lib/courier-authlib",
    "usr/lib/*/courier-authlib",
    "usr/lib/*-linux-*",
)


def installed_at() -> Path | None:
    """The place of a courier-imap that runs; None if there is none."""
    found = (place for place in PLACES if (place / "usr/bin/imapd").exists())
    return next(found, None)


def require_courier() -> None:
    """Skip the test without courier-imap; fail it where that is required."""
    if installed_at() is None:
        missing("courier-imap", COURIER)


class Mailbox:
    """A directory in the format Maildir, and who delivers to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = count(1)
        for name in ("cur", "new", "tmp"):
            (path / name).mkdir(parents=True)

    def deliver(self) -> None:
        """As every program does that delivers: complete in `tmp`, then renamed."""
        name = f"{time.time():.6f}.{next(self._numbers)}.host"
        mail = self.path / "tmp" / name
        mail.write_text("Subject: a mail\n\nits text\n")
        mail.rename(self.path / "new" / name)


class Session:
    """One `imapd`, and what it has said."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._tags = count(1)
        self._text = b""
        self.said: list[str] = []
        """All complete lines so far."""

    def command(self, text: str) -> list[str]:
        """Send a command; return the lines of its answer, the last of which is OK."""
        tag = f"t{next(self._tags)}"
        begin = len(self.said)
        self._send(f"{tag} {text}")
        self.until(f"{tag} OK")
        return self.said[begin:]

    def idle(self) -> None:
        """Wait for what happens to the mailbox from now on."""
        self._send("idle IDLE")
        self.until("+ entering ENHANCED idle")

    def until(self, beginning: str, patience: float = ANSWER_DEADLINE) -> None:
        """Read until a line begins so. AssertionError if none does."""
        seen, end = len(self.said), time.monotonic() + patience
        while True:
            for line in self.said[seen:]:
                if line.startswith(beginning):
                    return
            seen = len(self.said)
            left = end - time.monotonic()
            if left < 0 or not self._read(left):
                last = self.said[-20:]
                raise AssertionError(f"imapd does not say {beginning!r}: {last}")

    def has_said(self, line: str, patience: float = ANSWER_DEADLINE) -> bool:
        """Whether it has said so, or says so in time."""
        end = time.monotonic() + patience
        while line not in self.said:
            if not self._read(end - time.monotonic()):
                return False
        return True

    def _send(self, line: str) -> None:
        self._in.write(line.encode() + b"\r\n")
        self._in.flush()

    def _read(self, patience: float) -> bool:
        if not select.select([self._out], [], [], max(0.0, patience))[0]:
            return False
        data = os.read(self._out.fileno(), 65536)
        *lines, self._text = (self._text + data).split(b"\r\n")
        self.said += [line.decode() for line in lines]
        return bool(data)


@contextmanager
def imap_session(mailbox: Mailbox, session: str) -> Iterator[Session]:
    """An `imapd` that has selected the mailbox, and uses the server of `session`."""
    place = installed_at()
    assert place is not None
    variables = {
        "GAM_CLIENT_ID": session,
        "GAMIN_DEBUG_SERVER": "/nonexistent",
        "IMAP_ENHANCEDIDLE": "1",
        "IMAP_IDLE_TIMEOUT": str(OWN_POLLING),
        "IMAP_KEYWORDS": "1",
        "IMAP_USELOCKS": "1",
        "LD_LIBRARY_PATH": ":".join(map(str, _libraries(place))),
    }
    with subprocess.Popen(
        [place / "usr/bin/imapd", mailbox.path],
        env={**environment(), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            spoken = Session(process)
            spoken.until("* PREAUTH")
            spoken.command("SELECT INBOX")
            yield spoken
        finally:
            process.kill()


def _libraries(place: Path) -> Iterator[Path]:
    for pattern in _LIBRARIES:
        yield from place.glob(pattern)
