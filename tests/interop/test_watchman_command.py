"""The command `watchman`: its options, encodings and exit statuses."""

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gamin.protocol.watchman.codec.pdu import ENCODINGS, decode, encoding_of
from testkit.programs import COMMAND
from testkit.waiting import eventually
from testkit.watchman_command import Installed, installed


@pytest.fixture
def command(session: str) -> Iterator[Installed]:
    with installed(session) as command:
        yield command


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "root"
    root.mkdir()
    (root / "file").touch()
    return root


def test_get_sockname_starts_a_server_that_accepts(command: Installed) -> None:
    reply = json.loads(command.watchman("--no-pretty", "get-sockname").stdout)
    assert reply["sockname"] == reply["unix_domain"]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(reply["sockname"])


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        *((name, [f"--output-encoding={name}"]) for name in ENCODINGS),
        ("json", ["--output-encoding", "json"]),
    ],
)
def test_the_reply_has_the_encoding_that_an_option_names(
    command: Installed, encoding: str, words: list[str]
) -> None:
    done = command.watchman(*words, "--no-pretty", "get-sockname")
    assert done.returncode == 0
    assert encoding_of(done.stdout) == ENCODINGS[encoding]
    reply = decode(done.stdout)
    assert isinstance(reply, dict)
    assert reply["sockname"].endswith(".sock")


def test_options_may_follow_the_command(command: Installed) -> None:
    words = ["list-capabilities", "--output-encoding=json", "--no-pretty", "--no-spawn"]
    done = command.watchman(*words)
    assert "relative_root" in json.loads(done.stdout)["capabilities"]


def test_requests_that_need_no_server_are_answered_without_one(
    command: Installed,
) -> None:
    assert json.loads(command.watchman("--no-spawn", "version").stdout)["version"]
    done = command.watchman("--no-spawn", "watch-list")
    assert done.returncode == 1
    assert "not available in this mode" in json.loads(done.stdout)["error"]
    done = command.watchman("--no-spawn", "--no-local", "version")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"unable to talk to your watchman" in done.stderr


def test_the_version_is_printed_bare(command: Installed) -> None:
    done = command.watchman("--version")
    assert [int(part) for part in done.stdout.split(b".")] >= [4, 9]


def test_a_relative_root_is_of_the_callers_directory(
    command: Installed, root: Path
) -> None:
    done = command.watchman("--no-pretty", "watch", ".", cwd=root)
    assert json.loads(done.stdout)["watch"] == str(root)


def test_a_request_may_come_as_json_without_the_end_of_its_line(
    command: Installed, root: Path
) -> None:
    command.watchman("watch", str(root))
    request = json.dumps(["query", str(root), {"fields": ["name"]}], indent=2)
    done = command.watchman("-j", "--no-pretty", stdin=request.encode())
    assert json.loads(done.stdout)["files"] == ["file"]


@pytest.mark.parametrize("name", ["bser", "bser-v2"])
def test_a_request_in_bser_is_answered_in_the_same(
    command: Installed, root: Path, name: str
) -> None:
    encoding = ENCODINGS[name]
    done = command.watchman("-j", stdin=encoding.encode(["watch", str(root)]))
    assert encoding_of(done.stdout) == encoding
    assert decode(done.stdout)["watch"] == str(root)  # type: ignore[index]  # an object


def test_an_error_of_the_server_is_no_failure_of_the_command(
    command: Installed,
) -> None:
    done = command.watchman("--no-pretty", "clock", "/")
    assert done.returncode == 0
    assert "unable to resolve root" in json.loads(done.stdout)["error"]


def test_a_request_without_its_root_is_refused_before_it_is_sent(
    command: Installed,
) -> None:
    done = command.watchman("--no-pretty", "query")
    assert done.returncode == 1
    reply = json.loads(done.stdout)
    assert reply["cli_validated"]
    assert reply["error"] == "wrong number of arguments"


def test_input_that_is_no_request_is_refused(command: Installed) -> None:
    done = command.watchman("-j", stdin=b"[bad")
    assert done.returncode == 1
    assert b"failed to parse" in done.stderr


def test_the_option_persistent_prints_later_messages(
    command: Installed, root: Path
) -> None:
    command.watchman("watch", str(root))
    request = json.dumps(["subscribe", str(root), "s", {"fields": ["name"]}])
    with subprocess.Popen(
        ["watchman", "-j", "-p", "--no-pretty"],
        env=dict(command.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(request.encode())
        process.stdin.close()
        assert json.loads(process.stdout.readline())["subscribe"] == "s"
        assert json.loads(process.stdout.readline())["files"] == ["file"]
        (root / "new").touch()
        assert "new" in json.loads(process.stdout.readline())["files"]
        process.terminate()


def is_locked(file: Path) -> bool:
    with file.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def ended(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{pid}/fd/0").exists(), what="its end")


ASK_AS_NOBODY = """
import os, socket, sys
place, name = os.path.split(sys.argv[1])
os.chdir(place)  # the directories above may be closed to others
os.setgroups([])
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as client:
    client.connect(name)
    print("connected", flush=True)
    client.sendall(b'["version"]\\n')
    print(client.recv(100))
"""


def test_a_server_in_a_state_directory_has_the_modes_of_the_configuration(
    command: Installed,
) -> None:
    parent = command.folder / "state"
    parent.mkdir()
    command.folder.chmod(0o755)  # others come as far as the socket, but no further
    config = command.folder / "watchman.json"
    config.write_text('{"sock_access": {"group": true, "others": true}}')
    own = replace(
        command,
        environ={
            **command.environ,
            "USER": "me",
            "WATCHMAN_CONFIG_FILE": str(config),
            "WATCHMAN_TEST_STATE_DIR": str(parent),
        },
    )
    place, sock = parent / "me-state", parent / "me-state" / "sock"
    replies = [own.watchman("--no-pretty", "get-sockname") for _ in range(2)]
    assert {json.loads(done.stdout)["sockname"] for done in replies} == {str(sock)}
    first = int((place / "pid").read_text())
    try:
        assert own.reply("get-pid")["pid"] == first
        assert [stat.S_IMODE(path.lstat().st_mode) for path in (place, sock)] == [
            0o2755,
            0o666,
        ]
        assert is_locked(place / "pid")
        sock.unlink()
        eventually(sock.exists)
        assert own.reply("get-pid")["pid"] == first, "it has made its socket again"
        assert stat.S_IMODE(sock.lstat().st_mode) == 0o666
        other = own.watchman("--foreground", "--log-level=2")
        assert other.returncode != 0
        assert b"Failed to lock pidfile" in (place / "log").read_bytes()
        assert own.reply("get-pid")["pid"] == first, "it disturbs nobody"
        if os.geteuid() == 0:
            asked = own.run([sys.executable, "-c", ASK_AS_NOBODY, str(sock)])
            closed = (b"connected\n", b"connected\nb''\n")
            assert asked.stdout in closed, "closed without an answer"
    finally:
        ended(first)
    second = own.reply("get-pid")["pid"]
    assert second != first, "what a killed server left keeps nobody out"
    ended(second)
    place.chmod(0o777)
    refused = own.watchman("--no-pretty", "get-sockname")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"allow others to write to it" in refused.stderr


def test_a_server_of_low_priority_is_started_unless_the_configuration_forbids_it(
    command: Installed,
) -> None:
    config = command.folder / ".watchman.json"
    config.write_text('{"min_acceptable_nice_value": 0}')
    words = ["nice", "-n", "5", "watchman", "--no-pretty", "get-pid"]
    refused = command.run(words)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"(nice_value=5, min_acceptable_nice_value=0)" in refused.stderr
    assert b"refusing to start" in refused.stderr
    refused = command.run(["nice", "-n", "5", "watchman", "--foreground"])
    assert refused.returncode == 1
    assert b"refusing to start" in refused.stderr
    config.unlink()
    assert json.loads(command.run(words).stdout)["pid"]


def test_a_server_listens_at_the_socket_that_a_supervisor_gives_it(
    command: Installed,
) -> None:
    path = command.folder / "given"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        words = ["watchman", "--foreground", "--inetd", f"--sockname={path}"]
        process = subprocess.Popen(
            words,
            env=dict(command.environ),
            stdin=listening.fileno(),
            stderr=subprocess.DEVNULL,
        )
    try:
        done = command.watchman(f"--sockname={path}", "--no-spawn", "get-pid")
        assert json.loads(done.stdout)["pid"] == process.pid
    finally:
        process.kill()
        process.wait()
    assert path.is_socket(), "it is the supervisor's"
    refused = command.watchman("--foreground", "--inetd")
    assert refused.returncode == 1
    assert b"no Unix socket that listens" in refused.stderr


def test_a_server_uses_the_given_paths_of_its_socket_pidfile_and_log(
    command: Installed,
) -> None:
    place = command.folder / "own"
    place.mkdir()
    where = [f"--{name}={place / name}" for name in ("sockname", "pidfile", "logfile")]
    done = command.watchman(*where, "--no-pretty", "get-sockname")
    assert json.loads(done.stdout)["sockname"] == str(place / "sockname")
    done = command.watchman(*where, "--no-pretty", "get-pid")
    pid = json.loads(done.stdout)["pid"]
    try:
        assert (place / "pidfile").read_text() == str(pid)
        assert is_locked(place / "pidfile")
        assert (place / "logfile").exists()
        other = command.watchman("--no-pretty", "get-pid")
        assert json.loads(other.stdout)["pid"] != pid
    finally:
        os.kill(pid, 15)
    eventually(lambda: not Path(f"/proc/{pid}/fd/0").exists(), what="its end")


def test_somebodys_own_watchman_is_left_alone(
    command: Installed, tmp_path: Path
) -> None:
    theirs = tmp_path / "watchman"
    theirs.write_text("#!/bin/sh\n")
    for word in ("install", "uninstall"):
        done = command.run([*COMMAND, "watchman", word, str(tmp_path)])
        assert done.returncode == 1
        assert b"is not ours" in done.stderr
    assert theirs.read_text() == "#!/bin/sh\n"
    theirs.unlink()
    for word, is_there in (("install", True), ("install", True), ("uninstall", False)):
        done = command.run([*COMMAND, "watchman", word, str(tmp_path)])
        assert done.returncode == 0
        assert theirs.exists() == is_there


def test_shutdown_server_ends_the_server(command: Installed) -> None:
    pid = json.loads(command.watchman("--no-pretty", "get-pid").stdout)["pid"]
    done = command.watchman("--no-pretty", "shutdown-server")
    assert json.loads(done.stdout)["shutdown-server"] is True
    eventually(lambda: not Path(f"/proc/{pid}/fd/0").exists(), what="its end")
