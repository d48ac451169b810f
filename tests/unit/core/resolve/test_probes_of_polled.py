"""A path that is away just when it is probed, and back at the next poll.

Polling sees no difference then, so the executor must pass on what the probe found.
"""

from collections.abc import Callable

import pytest

from gamin.config.gaminrc import Method, PathRule
from gamin.core.model.subscription import Scope
from testkit.doubles.clients import Client
from testkit.doubles.engine import Shell, plain_policy
from testkit.words import as_words

LAST_CALL = 8
"""More system calls than a path of two names takes."""

SHELLS: dict[str, Callable[[], Shell]] = {
    "all is polled": lambda: Shell(plain_policy(poll_only=True), has_kernel=False),
    "what is in the directory is polled": lambda: Shell(
        plain_policy(PathRule(b"/d/*", Method.POLL))
    ),
    "the kernel has room for one directory": lambda: Shell(room=1),
}


def away_at(shell: Shell, path: bytes, call: int) -> None:
    """Have a path away at one system call of the server, and back at the next one."""

    def meanwhile() -> None:
        if shell.calls == call:
            shell.disk.rename(path, b"/away")
        elif shell.calls > call and shell.disk.exists(b"/away"):
            shell.disk.rename(b"/away", path)

    shell.meanwhile = meanwhile


def believed(client: Client) -> str:
    """The last row about the path itself."""
    rows = [row for _, row in client.received if not row.path]
    return as_words(rows)[-1]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("path", [b"/d", b"/d/f"])
@pytest.mark.parametrize("call", range(1, LAST_CALL))
def test_a_path_that_is_away_for_a_moment_is_found(
    shell: str, path: bytes, call: int
) -> None:
    host = SHELLS[shell]()
    host.disk.mkdir(b"/d")
    host.disk.touch(b"/d/f")
    away_at(host, path, call)
    client = host.v1()
    client.subscribe(b"/d/f", Scope.FILE)
    if host.disk.exists(b"/away"):
        host.disk.rename(b"/away", path)
    host.sleep(3)
    assert believed(client) in ("exists it", "created it", "changed it")
