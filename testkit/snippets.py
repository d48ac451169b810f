"""The snippets of a page: found, run as a reader would run them, and compared.

A page is a sequence of fenced blocks. Comments that no reader sees say what a block
needs; each belongs to the block after it:

    <!-- prepare: COMMANDS -->      run before it
    <!-- meanwhile: COMMANDS -->    run one by one when its last command watches; each
                                    must make it print at least one line
    <!-- after: LINE -->            `meanwhile` waits until this line is printed, too
    <!-- not run: REASON -->        only its syntax is checked

A `console` block holds commands after "$ " with their output. What a program in a
`python` block prints is in the `text` block after it. `…` in the output stands for any
text, and alone in a line for any lines. The home directory is shown as /home/me.
"""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

SHOWN_HOME = "/home/me"
DEADLINE = 20.0
"""Seconds in which a snippet prints what it is to print."""

_ANNOUNCED = "(watching)\n"
READY = re.compile(r"^Watching|^end-exist|^\(watching\)", re.MULTILINE)
"""Printed by a program that watches: ours, examples/fam_watch.c, Python snippets."""

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$"
    r"|<!-- (?P<name>prepare|meanwhile|after|not run): (?P<value>.*?) -->",
    re.MULTILINE | re.DOTALL,
)
_ANNOUNCE = """\
import sys as _sys, threading as _threading, time as _time
import gamin
def _announced(make):
    def wrapped(*paths, **options):
        watch = make(*paths, **options)
        _threading.Thread(target=_announce, args=(watch,), daemon=True).start()
        return watch
    return wrapped
def _announce(watch):
    while watch.clock is None:
        _time.sleep(0.005)
    _sys.stderr.write("(watching)\\n")
gamin.watch, gamin.awatch = _announced(gamin.watch), _announced(gamin.awatch)
"""
"""Before a Python snippet: it prints when it watches; `Lines.text` leaves that out."""


@dataclass(frozen=True)
class Snippet:
    page: str
    line: int
    language: str
    text: str
    output: str | None
    """The `text` block that follows a program."""
    prepare: str
    meanwhile: "Meanwhile"
    not_run: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


class Meanwhile(NamedTuple):
    """What happens while the last command runs."""

    commands: Sequence[str] = ()
    after: str = ""
    """A line that is printed before; empty: the one that says that it watches."""


class Command(NamedTuple):
    words: str
    output: str


def snippets(page: str, text: str) -> list[Snippet]:
    return list(_snippets(page, text))


def _snippets(page: str, text: str) -> Iterator[Snippet]:
    found = list(_BLOCK.finditer(text))
    notes: dict[str, str] = {}
    for index, match in enumerate(found):
        if match["name"]:
            notes[match["name"]] = match["value"]
            continue
        following = found[index + 1] if index + 1 < len(found) else None
        is_program = match["language"] in ("python", "c")
        output = (
            following["text"]
            if is_program and following and following["language"] == "text"
            else None
        )
        yield Snippet(
            page,
            text.count("\n", 0, match.start()) + 1,
            match["language"],
            re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE),
            output,
            notes.pop("prepare", ""),
            Meanwhile(
                notes.pop("meanwhile").split("; ") if "meanwhile" in notes else (),
                notes.pop("after", ""),
            ),
            notes.pop("not run", ""),
        )


def commands(text: str) -> list[Command]:
    """The commands of a `console` block; a backslash continues a line."""
    found: list[Command] = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        words, _, output = part.replace("\\\n", " ").partition("\n")
        found.append(Command(words, output))
    return found


class Player:
    """Runs snippets in a home directory of their own."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._home = home
        self._environ = {**environ, "HOME": str(home), "PYTHONUNBUFFERED": "1"}

    def play(self, snippet: Snippet) -> None:
        if snippet.prepare:
            self._shell(snippet.prepare)
        if snippet.language == "python":
            program = [sys.executable, "-c", _ANNOUNCE + snippet.text]
            self._run(program, snippet.output or "", snippet.meanwhile)
        elif snippet.language == "console":
            *before, last = commands(snippet.text)
            for words, output in before:
                self._run(["sh", "-c", words], output, Meanwhile())
            self._run(["sh", "-c", last.words], last.output, snippet.meanwhile)
        else:
            status = self._run(["sh", "-ec", snippet.text], "…\n", Meanwhile())
            assert status == 0, f"status {status}"

    def _run(self, program: Sequence[str], output: str, meanwhile: Meanwhile) -> int:
        """Its exit status, after it printed this output."""
        with subprocess.Popen(
            program,
            cwd=self._home,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that all of it can be interrupted
        ) as process:
            assert process.stdout
            lines = Lines(process.stdout, self._home)
            try:
                if meanwhile.commands:
                    lines.read_until_ready()
                    if meanwhile.after:
                        lines.read_until(re.escape(meanwhile.after) + "\n")
                    for words in meanwhile.commands:
                        before = len(lines.text)
                        self._shell(words)
                        lines.read_until("\n", before)
                else:
                    lines.read_all()
                lines.read_until(pattern(output))
                if meanwhile.commands and process.poll() is None:
                    os.killpg(process.pid, signal.SIGINT)
                return process.wait(DEADLINE)
            finally:
                with suppress(ProcessLookupError):  # what it left behind goes, too
                    os.killpg(process.pid, signal.SIGKILL)

    def _shell(self, words: str) -> None:
        subprocess.run(
            ["sh", "-ec", words], cwd=self._home, env=self._environ, check=True
        )


class Lines:
    """What a program has printed so far."""

    def __init__(self, stream: IO[bytes], home: Path) -> None:
        self._stream = stream
        self._home = home
        self._bytes = b""
        self._has_ended = False

    @property
    def text(self) -> str:
        return self._raw().replace(_ANNOUNCED, "")

    def read_until_ready(self) -> None:
        self._read(lambda: READY.search(self._raw()), "that it watches")

    def read_until(self, wanted: str, start: int = 0) -> None:
        found = re.compile(wanted, re.MULTILINE | re.DOTALL)
        self._read(lambda: found.search(self.text, start), repr(wanted))

    def read_all(self) -> None:
        self._read(lambda: self._has_ended, "the end")

    def _raw(self) -> str:
        return self._bytes.decode().replace(str(self._home), SHOWN_HOME)

    def _read(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not holds():
            left = max(0.0, deadline - time.monotonic())
            is_late = not select.select([self._stream], [], [], left)[0]
            if is_late or self._has_ended:
                raise AssertionError(f"{self.text!r} lacks {what}")
            data = os.read(self._stream.fileno(), 1 << 16)
            self._bytes += data
            self._has_ended = not data


def pattern(output: str) -> str:
    """What matches this output; without any, nothing may be printed."""
    parts = [re.escape(part) for part in re.split(r"(^…\n|…)", output, flags=re.M)]
    parts = [".*" if part == "…" else part for part in parts]
    return (
        r"\A"
        + "".join(r"(?:.*\n)?" if part == re.escape("…\n") else part for part in parts)
        + r"\Z"
    )
