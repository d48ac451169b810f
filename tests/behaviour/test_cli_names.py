"""Any name that a file can have, through every command that shows or passes it on."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gamin.cli import recording
from testkit.programs import COMMAND
from testkit.servers import OUR_SERVER, running_server
from testkit.waiting import eventually

NAMES = {
    "not UTF-8": b"\xff\xfecaf\xe9",
    "a newline": b"new\nline",
    "a tab": b"tab\there",
    "terminal escapes": b"\x1b[2J\x1b]0;title\x07\x9b31m",
    "a carriage return": b"good\rbad",
    "right to left": "\u05e9\u05dc\u05d5\u05dd.txt".encode(),
    "an override of direction": "\u202etxt.exe".encode(),
    "an option": b"--rf",
    "a placeholder": b"{}%f%%{path}",
    "shell characters": b"$(touch x) `y` ; & | \"'*?",
    "blanks": b"  ",
    "markup": b"[red]<b>&amp;",
    "255 bytes": b"n" * 255,
}
EACH = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
ACTING = {*range(32), 127} - {ord("\n"), ord("\t")}
"""Bytes that a terminal would act on."""

Run = Callable[..., bytes]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("home")
    with running_server([str(OUR_SERVER)], home=str(home)) as server:
        yield {**os.environ, "GAM_CLIENT_ID": server.session, "LC_ALL": "C.UTF-8"}


@pytest.fixture
def watching(env: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    """Runs a command that watches, makes the path meanwhile, and returns the output."""
    with ExitStack() as ending:

        def run(path: bytes, *words: bytes | str) -> bytes:
            process = ending.enter_context(
                subprocess.Popen(
                    [*COMMAND, *words],
                    cwd=tmp_path,
                    env=env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            )
            ending.callback(process.kill)
            assert process.stderr is not None
            assert process.stderr.readline().startswith(b"Watching ")
            os.mkdir(path)
            output, error = process.communicate()
            assert error == b""
            assert process.returncode == 0
            return output

        yield run


def path_in(folder: Path, name: bytes) -> bytes:
    return os.fsencode(folder) + b"/" + name


@EACH
def test_watch_shows_a_line_that_cannot_act_on_the_terminal(
    watching: Run, tmp_path: Path, name: bytes
) -> None:
    line = watching(path_in(tmp_path, name), "watch", "--once", ".")
    assert line.count(b"\n") == 1
    assert line.count(b"\t") == 1
    assert not set(line) & ACTING
    assert "\u202e" not in line.decode()


@EACH
def test_watch_passes_names_on_byte_for_byte(
    watching: Run, tmp_path: Path, name: bytes
) -> None:
    path = path_in(tmp_path, name)
    words = ["watch", "--once", "-0", "--format", "%w|%f|{path}", "."]
    folder = os.fsencode(tmp_path) + b"/"
    assert watching(path, *words) == b"|".join([folder, name, path]) + b"\0"


@EACH
def test_json_gives_the_name_back(watching: Run, tmp_path: Path, name: bytes) -> None:
    path = path_in(tmp_path, name)
    output = watching(path, "watch", "--once", "--json", ".")
    assert os.fsencode(json.loads(output)["path"]) == path


@EACH
def test_a_watched_path_may_have_any_name(
    watching: Run, tmp_path: Path, name: bytes
) -> None:
    path = path_in(tmp_path, name)
    words = ["watch", "--once", "-0", "--format", "{path}"]
    assert watching(path, *words, b"./" + name) == path + b"\0"


@EACH
def test_a_relative_path_leads_to_the_file(
    watching: Run, tmp_path: Path, name: bytes
) -> None:
    words = ["watch", "--once", "-0", "--relative", "--format", "{path}", "."]
    shown = watching(path_in(tmp_path, name), *words).rstrip(b"\0")
    assert not shown.startswith(b"-")
    assert os.path.samefile(path_in(tmp_path, shown), path_in(tmp_path, name))


@EACH
def test_run_passes_names_on_as_arguments_and_as_input(
    watching: Run, tmp_path: Path, name: bytes
) -> None:
    path = path_in(tmp_path, name)
    words = ["run", "--once", "--postpone", "--stdin0", ".", "--"]
    command = ["sh", "-c", r'printf "%s\0" "$@"; cat', "sh", "{}"]
    assert watching(path, *words, *command) == path + b"\0" + path + b"\0"


@EACH
def test_record_and_report_keep_names_apart_from_markup(
    env: dict[str, str], tmp_path: Path, name: bytes
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    file = os.fsencode(tmp_path) + b"/" + name[:200] + b".jsonl"
    words: list[str | bytes] = [*COMMAND, "record", "--", file, "."]
    with subprocess.Popen(words, cwd=box, env=env, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        os.mkdir(path_in(box, name))
        eventually(lambda: recording.read(os.fsdecode(file)).changes)
        process.terminate()
        process.stderr.read()
    [change] = recording.read(os.fsdecode(file)).changes
    assert os.fsencode(change.event.path) == path_in(box, name)
    words = [*COMMAND, "report", "-o", "-", "--", file]
    page = subprocess.run(words, env=env, capture_output=True, check=True).stdout
    assert b"<b>" not in page.split(b"Busiest paths")[1]
    assert not set(page) & ACTING


@EACH
def test_config_answers_for_any_path(
    env: dict[str, str], tmp_path: Path, name: bytes
) -> None:
    path = path_in(tmp_path, name)
    run: list[str | bytes] = [*COMMAND, "config", "--json", path]
    done = subprocess.run(run, env=env, capture_output=True, check=True)
    assert os.fsencode(json.loads(done.stdout.splitlines()[-1])["path"]) == path
    text = subprocess.run(
        [*COMMAND, "config", path], env=env, capture_output=True, check=True
    ).stdout
    assert not set(text) & ACTING


@pytest.mark.parametrize("name", [b"\xff", b"new\nline", b"\x1b[2J\x07"], ids=ascii)
@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(["report"], 1, id="report"),
        pytest.param(["watch", ".", "--ignore-from"], 1, id="a file of patterns"),
        pytest.param(["status"], 64, id="an argument too many"),
    ],
)
def test_an_error_about_a_name_is_one_line(
    env: dict[str, str], name: bytes, words: list[str], status: int
) -> None:
    run: list[str | bytes] = [*COMMAND, *words, b"/nowhere/" + name]
    done = subprocess.run(run, env=env, capture_output=True, check=False)
    assert done.returncode == status
    assert done.stderr.count(b"\n") == 1
    assert not set(done.stderr) & ACTING


def deep_path(folder: Path, length: int) -> bytes:
    """A path of `length` bytes; its parent exists."""
    path = os.fsencode(folder)
    while len(path) < length - 256:
        path += b"/" + b"d" * 200
    os.makedirs(path)
    return path + b"/" + b"n" * (length - len(path) - 1)


def test_the_longest_path_is_watched_and_shown(watching: Run, tmp_path: Path) -> None:
    path = deep_path(tmp_path, 4095)
    words = ["watch", "-r", "--once", "--kinds", "created", "-0", "--format", "{path}"]
    assert watching(path, *words, ".") == path + b"\0"


def test_a_longer_path_is_an_error_that_says_so(env: dict[str, str]) -> None:
    words = [*COMMAND, "watch", "/" + "n" * 4095]
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"longer than 4095 bytes" in done.stderr
