"""Every command shows or passes on any name that a file can have."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gamin.cli import recording
from testkit.hostile_names import ACTING, NAMES, NASTY, deep_path, path_in, paths_in
from testkit.programs import COMMAND
from testkit.servers import OUR_SERVER, running_server
from testkit.waiting import eventually

Run = Callable[..., bytes]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("home")
    with running_server([str(OUR_SERVER), "--notimeout"], home=str(home)) as server:
        yield {**os.environ, "GAM_CLIENT_ID": server.session, "LC_ALL": "C.UTF-8"}


@pytest.fixture
def watching(env: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    """Runs a command that watches, makes the paths meanwhile, and returns the output
    when it has as many records, which end with `end`."""
    with ExitStack() as ending:

        def run(
            paths: list[bytes], *words: bytes | str, end: bytes = b"\0", each: int = 1
        ) -> bytes:
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
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stderr.readline().startswith(b"Watching ")
            for path in paths:
                os.mkdir(path)
            output = b""
            while output.count(end) < each * len(paths):
                piece = os.read(process.stdout.fileno(), 1 << 16)
                assert piece, process.stderr.read()
                output += piece
            process.terminate()
            rest, error = process.communicate()
            assert error == b""
            return output + rest

        yield run


def test_watch_shows_lines_that_cannot_act_on_the_terminal(
    watching: Run, tmp_path: Path
) -> None:
    text = watching(paths_in(tmp_path), "watch", ".", end=b"\n")
    lines = text.splitlines()
    assert text.count(b"\n") == len(NAMES)
    assert [line.count(b"\t") for line in lines] == [1] * len(NAMES)
    assert not set(text) & ACTING
    assert "\u202e" not in text.decode()


def test_watch_passes_names_on_byte_for_byte(watching: Run, tmp_path: Path) -> None:
    words = ["watch", "-0", "--format", "%w|%f|{path}", "."]
    folder = os.fsencode(tmp_path) + b"/"
    assert watching(paths_in(tmp_path), *words).split(b"\0")[:-1] == [
        b"|".join([folder, name, folder + name]) for name in NAMES.values()
    ]


def test_json_gives_the_name_back(watching: Run, tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    lines = watching(paths, "watch", "--json", ".", end=b"\n").splitlines()
    assert [os.fsencode(json.loads(line)["path"]) for line in lines] == paths


def test_a_watched_path_may_have_any_name(watching: Run, tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    watched = [b"./" + name for name in NAMES.values()]
    words = ["watch", "-0", "--format", "{path}", *watched]
    assert watching(paths, *words).split(b"\0")[:-1] == paths


def test_a_relative_path_leads_to_the_file(watching: Run, tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    words = ["watch", "-0", "--relative", "--format", "{path}", "."]
    shown = watching(paths, *words).split(b"\0")[:-1]
    assert len(shown) == len(paths)
    for path, relative in zip(paths, shown, strict=True):
        assert not relative.startswith(b"-")
        assert os.path.samefile(path_in(tmp_path, relative), path)


def test_run_passes_names_on_as_arguments_and_as_input(
    watching: Run, tmp_path: Path
) -> None:
    paths = paths_in(tmp_path)
    shell = r'printf "argument %s\0" "$@"; xargs -0 printf "input %s\0"'
    words = ["run", "--postpone", "--stdin0", ".", "--", "sh", "-c", shell, "sh", "{}"]
    passed = watching(paths, *words, each=2).split(b"\0")[:-1]
    expected = [kind + path for kind in (b"argument ", b"input ") for path in paths]
    assert sorted(passed) == sorted(expected)


def test_record_and_report_keep_names_apart_from_markup(
    env: dict[str, str], tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    paths = paths_in(box)
    file = path_in(tmp_path, NASTY + b".jsonl")
    name = os.fsdecode(file)
    words: list[str | bytes] = [*COMMAND, "record", "--", file, "."]
    with subprocess.Popen(words, cwd=box, env=env, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        for path in paths:
            os.mkdir(path)
        eventually(lambda: len(recording.read(name).changes) == len(paths))
        process.terminate()
        process.stderr.read()
    changes = recording.read(name).changes
    assert [os.fsencode(change.event.path) for change in changes] == paths
    words = [*COMMAND, "report", "-o", "-", "--", file]
    page = subprocess.run(words, env=env, capture_output=True, check=True).stdout
    assert b"<b>" not in page.split(b"Busiest paths")[1]
    assert not set(page) & ACTING


def test_since_shows_names_and_passes_them_on(
    env: dict[str, str], tmp_path: Path
) -> None:
    paths = paths_in(tmp_path)
    for path in paths:
        os.mkdir(path)

    def since(*words: str) -> bytes:
        run = [*COMMAND, "since", *words, "--name", "cursor" + "".join(words), "."]
        done = subprocess.run(
            run, cwd=tmp_path, env=env, capture_output=True, check=True
        )
        return done.stdout

    assert sorted(since("-0", "--paths").split(b"\0")[:-1]) == sorted(paths)
    *lines, _ = since("--json").splitlines()
    found = [os.fsencode(json.loads(line)["path"]) for line in lines]
    assert sorted(found) == sorted(paths)
    text = since("--relative")
    assert text.count(b"\n") == len(paths) + 1
    assert not set(text) & ACTING


def test_status_and_state_show_sessions_and_trees_of_any_name(
    env: dict[str, str], tmp_path: Path
) -> None:
    tree = path_in(tmp_path, NASTY)
    os.mkdir(tree)
    run: list[str | bytes] = [*COMMAND, "watch", "-q", "--once", "-t", "0.1", tree]
    subprocess.run(run, env=env, capture_output=True, check=False)
    top = ["top", "--once", "--interval", "0.2"]
    for words in (["status"], ["state", "list"], ["doctor"], top):
        done = subprocess.run(
            [*COMMAND, *words], env=env, capture_output=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        assert done.stdout
        assert not set(done.stdout) & ACTING


def test_config_answers_for_any_path(env: dict[str, str], tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    run: list[str | bytes] = [*COMMAND, "config", "--json", *paths]
    done = subprocess.run(run, env=env, capture_output=True, check=True)
    answers = done.stdout.splitlines()[-len(paths) :]
    assert [os.fsencode(json.loads(line)["path"]) for line in answers] == paths
    text = subprocess.run(
        [*COMMAND, "config", *paths], env=env, capture_output=True, check=True
    ).stdout
    assert not set(text) & ACTING


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(["report"], 1, id="report"),
        pytest.param(["watch", ".", "--ignore-from"], 1, id="a file of patterns"),
        pytest.param(["status"], 64, id="an argument too many"),
    ],
)
def test_an_error_about_a_name_is_one_line(
    env: dict[str, str], words: list[str], status: int
) -> None:
    run: list[str | bytes] = [*COMMAND, *words, b"/nowhere/" + NASTY]
    done = subprocess.run(run, env=env, capture_output=True, check=False)
    assert done.returncode == status
    assert done.stderr.count(b"\n") == 1
    assert not set(done.stderr) & ACTING


@pytest.fixture
def repository(tmp_path: Path) -> bytes:
    """A git repository of a hostile name, with an ignored directory."""
    if not shutil.which("git"):
        pytest.skip("needs git")
    top = path_in(tmp_path, NASTY)
    subprocess.run(["git", "init", "-q", top], check=True)
    return top


def test_git_is_told_of_names_byte_for_byte(
    env: dict[str, str], repository: bytes
) -> None:
    def git(*words: bytes | str) -> bytes:
        command = ["git", "-C", repository, *words]
        return subprocess.run(command, env=env, capture_output=True, check=True).stdout

    for words, status in (["install"], 0), (["status"], 0):
        done = subprocess.run(
            [*COMMAND, "git", *words, "--", repository], env=env, capture_output=True
        )
        assert (done.returncode, done.stderr) == (status, b"")
        assert not set(done.stdout) & ACTING
    git("status")  # from here on git asks the server what changed
    for name in NAMES.values():
        with open(path_in(Path(os.fsdecode(repository)), name), "w"):
            pass
    shown = git("status", "--porcelain", "-z").split(b"\0")[:-1]
    assert sorted(shown) == sorted(b"?? " + name for name in NAMES.values())


def test_watchmans_command_line_shows_names_as_json(
    env: dict[str, str], tmp_path: Path
) -> None:
    paths = paths_in(tmp_path)
    for path in paths:
        os.mkdir(path)
    run = [*COMMAND, "watchman", "watch", str(tmp_path)]
    subprocess.run(run, env=env, capture_output=True, check=True)
    query = {"fields": ["name"]}
    done = subprocess.run(
        [*COMMAND, "watchman", "--no-pretty", "-j"],
        input=json.dumps(["query", str(tmp_path), query]).encode(),
        env=env,
        capture_output=True,
        check=True,
    )
    assert not set(done.stdout) & ACTING
    names = [os.fsencode(name) for name in json.loads(done.stdout)["files"]]
    assert sorted(names) == sorted(NAMES.values())


def test_exec_passes_words_on_byte_for_byte(env: dict[str, str]) -> None:
    names = list(NAMES.values())
    words: list[str | bytes] = [*COMMAND, "exec", "--", "printf", r"%s\0", *names]
    done = subprocess.run(words, env=env, capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == names
    words = [*COMMAND, "exec", "--", b"/nowhere/" + NASTY]
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    assert done.returncode == 127
    assert done.stderr.count(b"\n") == 1
    assert not set(done.stderr) & ACTING


@pytest.mark.parametrize("command", ["status", "stop", "doctor", "top", "state"])
def test_a_session_of_any_name_is_shown_escaped(command: str, tmp_path: Path) -> None:
    words = {"top": ["--once", "--interval", "0.2"], "state": ["where"]}.get(
        command, []
    )
    name = os.fsdecode(b"\x1b[2J\n\xff")
    env = {**os.environ, "GAM_CLIENT_ID": name, "HOME": str(tmp_path)}
    done = subprocess.run(
        [*COMMAND, command, *words], env=env, capture_output=True, check=False
    )
    assert done.returncode in (0, 1)
    assert done.stdout + done.stderr
    assert not set(done.stdout + done.stderr) & ACTING


def test_the_longest_path_is_watched_and_shown(watching: Run, tmp_path: Path) -> None:
    path = deep_path(tmp_path, 4095)
    words = ["watch", "-r", "--kinds", "created", "-0", "--format", "{path}", "."]
    assert watching([path], *words) == path + b"\0"


def test_the_longest_path_is_passed_on_and_answered_for(
    watching: Run, env: dict[str, str], tmp_path: Path
) -> None:
    path = deep_path(tmp_path, 4095)
    parent = os.path.dirname(path)
    words: list[bytes | str] = ["run", "--postpone", "-r", "."]
    run = ["--", "printf", r"%s\0", "{}"]
    assert watching([path], *words, *run) == path + b"\0"

    def output(*words: bytes | str) -> bytes:
        command = [*COMMAND, *words]
        done = subprocess.run(command, env=env, capture_output=True, check=True)
        return done.stdout

    assert output("since", "-0", "--paths", "--name", "deep", parent) == path + b"\0"
    *_, answer = output("config", "--json", path).splitlines()
    assert os.fsencode(json.loads(answer)["path"]) == path


def test_the_longest_path_is_recorded_and_reported(
    env: dict[str, str], tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    path = deep_path(box, 4095)
    file = str(tmp_path / "recorded.jsonl")
    words = [*COMMAND, "record", file, "--", "."]
    with subprocess.Popen(words, cwd=box, env=env, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        os.mkdir(path)
        eventually(lambda: paths_of(file) == [path])
        process.terminate()
        process.stderr.read()
    words = [*COMMAND, "report", "-o", "-", file]
    page = subprocess.run(words, env=env, capture_output=True, check=True).stdout
    assert path.rpartition(b"/")[2] in page


def paths_of(recorded: str) -> list[bytes]:
    created = recording.read(recorded).changes
    return [os.fsencode(change.event.path) for change in created]


def test_git_is_told_of_the_longest_path(
    env: dict[str, str], repository: bytes
) -> None:
    def output(*words: bytes | str) -> bytes:
        done = subprocess.run(words, env=env, capture_output=True, check=True)
        return done.stdout

    git_status: list[bytes | str] = ["git", "-C", repository, "status", "-z", "-uall"]
    output(*COMMAND, "git", "install", "--", repository)
    path = deep_path(Path(os.fsdecode(repository)), 4095)
    assert output(*git_status) == b""
    with open(path, "w"):
        pass
    relative = path.removeprefix(repository + b"/")
    assert output(*git_status) == b"?? " + relative + b"\0"


def test_a_longer_path_is_an_error_that_says_so(env: dict[str, str]) -> None:
    words = [*COMMAND, "watch", "/" + "n" * 4095]
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"longer than 4095 bytes" in done.stderr
