"""`gamin watch` with a watch that plays what a test tells it to."""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from typing import Self

import pytest

from gamin.cli import watch
from gamin.errors import InvalidPath
from gamin.events import Event, Kind

FIRST = [Event(Kind.CREATED, "/a"), Event(Kind.CHANGED, "/b")]
SECOND = [Event(Kind.MOVED, "/a", "/c")]


class Player:
    """In the place of `gamin.watch`: yields batches, then ends as it is told to."""

    def __init__(self, *batches: list[Event], end: BaseException | None = None) -> None:
        self.batches = batches
        self.end = end
        self.clock: str | None = None
        self.paths: Sequence[str] = ()
        self.options: dict[str, object] = {}
        self.is_open = False

    def __call__(self, *paths: str, **options: object) -> Self:
        self.paths = paths
        self.options = options
        return self

    def __enter__(self) -> Self:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def __iter__(self) -> Iterator[list[Event]]:
        for number, batch in enumerate(self.batches):
            self.clock = f"c:{number}"
            yield batch
        if self.end is not None:
            raise self.end


def run(player: Player, *words: str) -> int:
    parser = argparse.ArgumentParser()
    watch.configure(parser)
    return watch.run(parser.parse_args(words), player)


def test_changes_go_to_stdout_and_the_watching_line_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    player = Player(FIRST, SECOND)
    assert run(player, "/") == 0
    printed = capsys.readouterr()
    assert printed.out == "created\t/a\nchanged\t/b\nmoved\t/a\t/c\n"
    assert printed.err == "Watching /\n"
    assert not player.is_open


def test_quiet_suppresses_the_watching_line(capsys: pytest.CaptureFixture[str]) -> None:
    run(Player(), "-q", "/")
    assert capsys.readouterr().err == ""


def test_once_ends_after_the_first_batch(capsys: pytest.CaptureFixture[str]) -> None:
    player = Player(FIRST, SECOND)
    assert run(player, "--once", "/") == 0
    assert capsys.readouterr().out == "created\t/a\nchanged\t/b\n"
    assert not player.is_open


def test_json_has_the_clock_of_each_batch(capsys: pytest.CaptureFixture[str]) -> None:
    run(Player(FIRST, SECOND), "--json", "/")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["clock"] for line in lines] == ["c:0", "c:0", "c:1"]


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        pytest.param([], b"created\t/n\\n\\udcff\n", id="lines"),
        pytest.param(["-0"], b"created\t/n\n\xff\0", id="NUL"),
        pytest.param(["--format", "{path}!"], b"/n\\n\\udcff!\n", id="a template"),
        pytest.param(["-0", "--format", "{path}!"], b"/n\n\xff!\0", id="both"),
    ],
)
def test_names_are_escaped_except_before_nul(
    options: list[str], printed: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    event = Event(Kind.CREATED, os.fsdecode(b"/n\n\xff"))
    run(Player([event]), *options, "/")
    assert capsysbinary.readouterr().out == printed


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param(TimeoutError(), 2, id="a time-out"),
        pytest.param(KeyboardInterrupt(), 0, id="an interrupt"),
    ],
)
def test_the_exit_status_depends_on_how_the_watch_ended(
    end: BaseException, status: int
) -> None:
    player = Player(FIRST, end=end)
    assert run(player, "-t", "5", "/") == status
    assert not player.is_open


@pytest.mark.parametrize(
    ("words", "options"),
    [
        pytest.param(
            [],
            {
                "recursive": False,
                "ignore": [],
                "vcs_ignore": False,
                "since": None,
                "initial": False,
                "timeout": None,
            },
            id="nothing",
        ),
        pytest.param(["-r"], {"recursive": True, "vcs_ignore": True}, id="-r"),
        pytest.param(["-r", "--no-vcs-ignore"], {"vcs_ignore": False}, id="all"),
        pytest.param(["-i", "*.o", "-i", "x/"], {"ignore": ["*.o", "x/"]}, id="-i"),
        pytest.param(["--since", "c:1,c:2"], {"since": "c:1,c:2"}, id="--since"),
        pytest.param(["--initial"], {"initial": True}, id="--initial"),
        pytest.param(["-t", "0.5"], {"timeout": 0.5}, id="-t"),
    ],
)
def test_options_reach_the_watch(words: list[str], options: dict[str, object]) -> None:
    player = Player()
    run(player, "-q", *words, "/")
    assert player.options.items() >= options.items()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="no path"),
        pytest.param(["--json", "--format", "{path}", "/"], id="two forms"),
        pytest.param(["--format", "{size}", "/"], id="an unknown field"),
        pytest.param(["-t", "0", "/"], id="no time at all"),
        pytest.param(["-t", "nan", "/"], id="not a number"),
        pytest.param(["-t", "soon", "/"], id="a word"),
    ],
)
def test_invalid_arguments_are_wrong_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        run(Player(), *words)


def test_a_relative_path_is_made_absolute_and_need_not_exist() -> None:
    player = Player()
    run(player, "-q", "nowhere", "./x//y/", "/already")
    here = os.getcwd()
    assert player.paths == (f"{here}/nowhere", f"{here}/x/y", "/already")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("/a\0b", "NUL", id="NUL"),
        pytest.param("/a" * 2048, "longer than 4095 bytes", id="too long"),
    ],
)
def test_an_impossible_path_is_an_error(path: str, reason: str) -> None:
    with pytest.raises(InvalidPath, match=reason):
        run(Player(), path)


@pytest.mark.parametrize(
    ("paths", "line"),
    [
        pytest.param(["/a"], "Watching /a", id="one"),
        pytest.param(["/a", "/b\n"], r"Watching /a, /b\n", id="a newline"),
        pytest.param(
            ["/a", "/b", "/c", "/d", "/e"], "Watching /a, /b, /c and 2 more", id="many"
        ),
    ],
)
def test_the_watching_line_names_three_paths_at_most(
    paths: list[str], line: str
) -> None:
    assert watch.watching_line(paths) == line
