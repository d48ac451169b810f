"""`gamin watch` with a watch that plays what a test wants."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from gamin.cli import watch
from gamin.cli.options import CannotRead
from gamin.errors import InvalidPath
from gamin.events import Event, Kind
from testkit.waiting import eventually

FIRST = [Event(Kind.CREATED, "/a"), Event(Kind.CHANGED, "/b")]
SECOND = [Event(Kind.MOVED, "/a", "/c")]


class Player:
    """Replaces `gamin.watch`: yields the given batches, then ends in the given way."""

    def __init__(self, *batches: list[Event], end: BaseException | None = None) -> None:
        self.batches = list(batches)
        self.timeouts: list[float | None] = []
        self.end = end
        self.clock: str | None = None
        self.unreadable: list[str] = []
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

    def next(self, timeout: float | None = None) -> list[Event] | None:
        self.timeouts.append(timeout)
        if self.batches:
            self.clock = f"c:{len(self.timeouts) - 1}"
            return self.batches.pop(0)
        if isinstance(self.end, TimeoutError):
            # From this call on, as the real one: the caller gives what is left.
            end = time.monotonic() + (timeout or 0)
            eventually(lambda: time.monotonic() >= end)
            return None
        if self.end is not None:
            raise self.end
        return None


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


@pytest.mark.parametrize(
    ("unreadable", "line"),
    [
        pytest.param(["/a\n"], r"gamin: /a\n cannot be read: ", id="one"),
        pytest.param(["/a", "/b", "/c"], "gamin: /a and 2 more cannot be ", id="many"),
    ],
)
def test_it_says_which_directories_cannot_be_read(
    unreadable: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    player = Player(FIRST)
    player.unreadable = unreadable
    assert run(player, "/") == 0
    _, warning = capsys.readouterr().err.splitlines()
    assert warning.startswith(line)
    assert player.options["unreadable"] is True


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
    assert run(player, "-t", "0.01", "/") == status
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
            },
            id="nothing",
        ),
        pytest.param(["-r"], {"recursive": True, "vcs_ignore": True}, id="-r"),
        pytest.param(["-r", "--no-vcs-ignore"], {"vcs_ignore": False}, id="all"),
        pytest.param(["-i", "*.o", "-i", "x/"], {"ignore": ["*.o", "x/"]}, id="-i"),
        pytest.param(["--since", "c:1,c:2"], {"since": "c:1,c:2"}, id="--since"),
        pytest.param(["--initial"], {"initial": True}, id="--initial"),
        pytest.param(["--settle", "0.5"], {"settle": 0.5}, id="--settle"),
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
        pytest.param(["--settle", "-1", "/"], id="a negative span"),
        pytest.param(["--kinds", "created,renamed", "/"], id="an unknown kind"),
        pytest.param(["--kinds", "", "/"], id="no kind"),
        pytest.param(["--format", "%q", "/"], id="an unknown letter"),
        pytest.param(["--color", "maybe", "/"], id="an unknown choice"),
    ],
)
def test_invalid_arguments_are_wrong_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        run(Player(), *words)


def test_only_the_chosen_kinds_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    player = Player(FIRST, SECOND)
    assert run(player, "--kinds", "moved,changed", "/") == 0
    assert capsys.readouterr().out == "changed\t/b\nmoved\t/a\t/c\n"


def test_changes_that_are_left_out_do_not_end_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(Player(FIRST, SECOND), "--once", "--kinds", "moved", "/")
    assert capsys.readouterr().out == "moved\t/a\t/c\n"


def test_changes_that_are_left_out_do_not_prolong_the_timeout() -> None:
    player = Player(FIRST, FIRST, FIRST)
    run(player, "-t", "50", "--kinds", "moved", "/")
    given = [timeout for timeout in player.timeouts if timeout is not None]
    assert len(given) == 4
    assert given == sorted(given, reverse=True)


def test_relative_paths_are_printed_on_demand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    player = Player([Event(Kind.CREATED, f"{os.getcwd()}/x")])
    run(player, "--relative", ".")
    assert capsys.readouterr().out == "created\tx\n"


def test_patterns_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"# why\n*.o\n\n\\#x\n\xff\x0b\r\n")
    (tmp_path / "two").write_text("!keep.o\n")
    player = Player()
    files = ["--ignore-from", f"{tmp_path}/one", "--ignore-from", f"{tmp_path}/two"]
    run(player, *files, "-i", "last", "/")
    assert player.options["ignore"] == ["*.o", r"\#x", "\udcff\x0b", "!keep.o", "last"]


@pytest.mark.parametrize("name", ["missing", "", "a\0b"])
def test_a_file_of_patterns_that_cannot_be_read_is_an_error(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(CannotRead, match="cannot read"):
        run(Player(), "--ignore-from", f"{tmp_path}/{name}", "/")


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
