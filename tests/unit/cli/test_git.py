"""`gamin git`: its answers to git, and what it writes into a repository."""

import argparse
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gamin.cli import git
from gamin.cli.parser import Parser
from gamin.cli.watchman_service import Connection

ROOT = "/repository"
CLOCK = "c:1:2:3:4"
UNWATCHED = {"error": "unable to resolve root: it is not watched"}


class Peer:
    """A server with answers that are ready beforehand."""

    def __init__(self) -> None:
        ours, self._theirs = socket.socketpair()
        self._theirs.settimeout(10)
        self.connection = Connection(ours)

    def changed(self, token: str, *replies: object) -> tuple[str, list[str]]:
        """What git receives when the server answers so."""
        for reply in replies:
            self._theirs.sendall(json.dumps(reply).encode() + b"\n")
        self._theirs.shutdown(socket.SHUT_WR)
        return git._changed(self.connection, ROOT, token)

    def requests(self) -> list[Any]:
        self.connection.close()
        lines = self._theirs.makefile("rb")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        self.connection.close()
        self._theirs.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with closing(Peer()) as made:
        yield made


def files(*names: str, is_fresh: object = False, clock: object = CLOCK) -> object:
    return {"clock": clock, "is_fresh_instance": is_fresh, "files": list(names)}


def test_the_names_since_the_token_are_passed_on(peer: Peer) -> None:
    assert peer.changed("c:1:2:3:1", files("a", "b/c")) == (CLOCK, ["a", "b/c"])
    ((command, root, query),) = peer.requests()
    assert (command, root, query["since"]) == ("query", ROOT, "c:1:2:3:1")


def test_the_first_token_of_git_is_a_clock_before_all_others(peer: Peer) -> None:
    peer.changed("1763932020123456789", files())
    ((_, _, query),) = peer.requests()
    assert query["since"] == "c:0:0"


@pytest.mark.parametrize(
    "reply", [files(is_fresh=True), files("a", ""), files(is_fresh=None)]
)
def test_where_anything_may_have_changed_git_looks_at_everything(
    peer: Peer, reply: object
) -> None:
    assert peer.changed(CLOCK, reply) == (CLOCK, [git.EVERYTHING])


def test_a_repository_that_is_not_watched_yet_is_watched(peer: Peer) -> None:
    watch = {"watch": ROOT}
    assert peer.changed(CLOCK, UNWATCHED, watch, files("a")) == (CLOCK, ["a"])
    assert [request[0] for request in peer.requests()] == ["query", "watch", "query"]


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param([], id="no reply"),
        pytest.param([[]], id="a list"),
        pytest.param([{"error": "broken"}], id="an error"),
        pytest.param([UNWATCHED, {"error": "forbidden"}], id="no watch"),
        pytest.param([files(clock=None)], id="no clock"),
        pytest.param([{"clock": CLOCK}], id="no files"),
    ],
)
def test_any_other_reply_fails_and_so_git_looks_itself(
    peer: Peer, replies: list[object]
) -> None:
    with pytest.raises(git.GitFailed):
        peer.changed(CLOCK, *replies)


@pytest.mark.parametrize("words", [[], ["2"], ["1", "token"], ["2", "a", "b"]])
def test_another_version_of_the_hook_is_refused(words: list[str]) -> None:
    assert git._hook(words, {}) == 1


def run(action: str, *words: str) -> int:
    parser = Parser(prog="gamin git")
    git.configure(parser)
    args: argparse.Namespace = parser.parse([action, *words])
    return git.run(args)


@pytest.fixture
def repository(tmp_path: Path) -> str:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return str(tmp_path)


def test_the_hook_is_installed_seen_and_removed(
    repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Path(repository, ".git", "config")
    before = config.read_text()
    assert run("status", repository) == 1
    assert run("install", repository) == 0
    assert run("install", repository) == 0  # again changes nothing
    assert run("status", repository) == 0
    assert run("uninstall", repository) == 0
    assert run("status", repository) == 1
    assert config.read_text() == before


def test_somebody_else_s_hook_stays(repository: str) -> None:
    name = ["config", "core.fsmonitor", "their-hook"]
    subprocess.run(["git", "-C", repository, *name], check=True)
    with pytest.raises(git.GitFailed, match="'their-hook' already"):
        run("install", repository)
    with pytest.raises(git.GitFailed, match="not installed"):
        run("uninstall", repository)


def test_outside_of_a_repository_git_s_own_words_are_shown(tmp_path: Path) -> None:
    with pytest.raises(git.GitFailed, match="not a git repository"):
        run("status", str(tmp_path))
