"""`gamin git`: git learns from the server what changed, instead of checking every file.

git calls `gamin git hook` by its fsmonitor protocol, version 2.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping

from gamin.cli.watchman_launcher import command_words
from gamin.cli.watchman_service import Connection, Options, Service
from gamin.errors import GaminError
from gamin.paths import printable
from gamin.protocol.watchman.codec.pdu import JSON, decode

EVERYTHING = "/"
"""Instead of names: any file may have changed."""
_FSMONITOR = "core.fsmonitor"
_UNTRACKED = "core.untrackedCache"
_HOOK_VERSION = "core.fsmonitorHookVersion"


class GitFailed(GaminError):
    """What is asked for cannot be done in the repository."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "gamin git install|uninstall|status [REPO]"
    parser.description = (
        "Let the server tell git what changed in REPO (default: here), so that `git\n"
        "status` does not look at every file: core.fsmonitor of the repository names\n"
        "`gamin git hook`, which git calls. Whatever is in doubt, git looks itself."
    )
    parser.epilog = "exit status: 0 done (status: installed), 1 failed, 64 wrong usage"
    parser.add_argument(
        "action", choices=("install", "uninstall", "status", "hook"), help="what to do"
    )
    parser.add_argument("words", nargs="*", metavar="REPO", help="a repository")


def run(args: argparse.Namespace) -> int:
    words: list[str] = args.words
    if args.action == "hook":
        return _hook(words, os.environ)
    repository = words[0] if words else "."
    top = _git(repository, "rev-parse", "--show-toplevel")
    is_ours = _setting(top, _FSMONITOR) == _hook_command()
    if args.action == "status":
        print(f"{printable(top)}: {'installed' if is_ours else 'not installed'}")
        return 0 if is_ours else 1
    if args.action == "install":
        return _install(top)
    if not is_ours:
        raise GitFailed(f"{top}: gamin's hook is not installed")
    for name in (_FSMONITOR, _HOOK_VERSION, _UNTRACKED):
        _git(top, "config", "--local", "--unset", name, may_fail=True)
    return 0


def _install(top: str) -> int:
    place = _git(top, "rev-parse", "--absolute-git-dir")
    for path in (top, place):
        if not _is_own(path):
            raise GitFailed(f"{path} belongs to another user")
    before = _setting(top, _FSMONITOR)
    if before not in ("", "false", _hook_command()):
        raise GitFailed(f"{top}: {_FSMONITOR} is {before!r} already")
    _git(top, "config", "--local", _HOOK_VERSION, "2")
    _git(top, "config", "--local", _UNTRACKED, "true")
    _git(top, "config", "--local", _FSMONITOR, _hook_command())
    print(printable(top))
    return 0


def _hook_command() -> str:
    return shlex.join(command_words("git", "hook"))


def _is_own(path: str) -> bool:
    return os.stat(path).st_uid == os.getuid()


def _git(repository: str, *words: str, may_fail: bool = False) -> str:
    """What git prints. Raises GitFailed."""
    done = subprocess.run(
        ["git", "-C", repository, *words],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    if done.returncode and not may_fail:
        raise GitFailed(done.stderr.strip() or f"git {words[0]} failed")
    return done.stdout.removesuffix("\n")


def _setting(repository: str, name: str) -> str:
    return _git(repository, "config", "--local", "--get", name, may_fail=True)


# -- called by git, in the top directory of the work tree


def _hook(words: list[str], environ: Mapping[str, str]) -> int:
    """Print a token and, each ended by NUL, what changed since the token before.

    With status 1 git looks at every file.
    """
    if len(words) != 2 or words[0] != "2":
        return 1
    root = os.path.realpath(os.getcwd())
    if not _is_own(root):
        return 1
    with Service(Options(), environ).connect(start=True) as connection:
        token, names = _changed(connection, root, words[1])
    text = "".join(f"{each}\0" for each in (token, *names))
    sys.stdout.buffer.write(os.fsencode(text))
    return 0


def _changed(connection: Connection, root: str, token: str) -> tuple[str, list[str]]:
    """The new token, and the names. Raises GaminError."""
    query: dict[str, object] = {
        "fields": ["name"],
        "expression": ["not", ["anyof", ["name", ".git"], ["dirname", ".git"]]],
        "empty_on_fresh_instance": True,
        "since": token if token.startswith("c:") else "c:0:0",
    }
    reply = _ask(connection, "query", root, query)
    if "is not watched" in str(reply.get("error")):
        _checked(_ask(connection, "watch", root))
        reply = _ask(connection, "query", root, query)
    _checked(reply)
    clock, is_fresh, files = (
        reply.get(key) for key in ("clock", "is_fresh_instance", "files")
    )
    if not isinstance(clock, str) or not isinstance(files, list):
        raise GitFailed("the server's reply has no files")
    names = [str(name) for name in files]
    return clock, [EVERYTHING] if is_fresh is not False or "" in names else names


def _ask(connection: Connection, *request: object) -> dict[str, object]:
    connection.send(JSON.encode(list(request)))
    received = connection.receive()
    reply = None if received is None else decode(received)
    if not isinstance(reply, dict):
        raise GitFailed("the server closed without a reply")
    return reply


def _checked(reply: dict[str, object]) -> None:
    if "error" in reply:
        raise GitFailed(str(reply["error"]))
