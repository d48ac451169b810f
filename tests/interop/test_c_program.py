"""C programs linked with libfam, and the server they start on demand.

They are compiled on the spot; what they print is all that is looked at.
"""

import os
import select
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from testkit.original import SERVER, require_original
from testkit.required import compiler_for_libfam
from testkit.servers import OUR_SERVER, serving_pid

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-O1")  # some appear only when optimising
DEADLINE = 20.0
OUR_SERVER_IS_THERE = find_spec("gamin.daemon.process.main") is not None


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the compiled programs."""
    require_original()
    compiler = compiler_for_libfam()
    folder = tmp_path_factory.mktemp("programs")
    for source in (ROOT / "examples/fam_watch.c", HERE / "flood.c"):
        subprocess.run(
            [compiler, *WARNINGS, source, "-o", folder / source.stem, "-lfam"],
            check=True,
        )
    return folder


@contextmanager
def session_of(server: Path) -> Iterator[dict[str, str]]:
    """The environment that makes libfam start `server`, which is ended afterwards."""
    session = f"test-{uuid.uuid4()}"
    try:
        yield os.environ | {
            "GAM_CLIENT_ID": session,
            "GAMIN_DEBUG_SERVER": str(server),
        }
    finally:
        if pid := serving_pid(session):
            os.kill(pid, signal.SIGTERM)


class Lines:
    """What a program prints, line by line and not waiting for ever."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._text = b""

    def next(self) -> list[str]:
        """The tab-separated words of the next line."""
        deadline = time.monotonic() + DEADLINE
        while b"\n" not in self._text:
            ready = select.select([self._output], [], [], deadline - time.monotonic())
            assert ready[0], f"no line within {DEADLINE} s, only {self._text!r}"
            data = os.read(self._output, 4096)
            assert data, "the program has ended"
            self._text += data
        line, _, self._text = self._text.partition(b"\n")
        return line.decode().split("\t")


SERVERS = [pytest.param(SERVER, id="the original server")]
if OUR_SERVER_IS_THERE:
    SERVERS.append(pytest.param(OUR_SERVER, id="our server"))


@pytest.mark.parametrize("server", SERVERS)
def test_a_fam_program_starts_the_server_and_receives_events(
    programs: Path, server: Path, tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    (box / "a").touch()
    with (
        session_of(server) as environment,
        subprocess.Popen(
            [programs / "fam_watch", box], env=environment, stdout=subprocess.PIPE
        ) as program,
    ):
        assert program.stdout
        lines = Lines(program.stdout.fileno())
        here = str(box)
        assert lines.next() == ["exists", here, here]
        assert lines.next() == ["exists", here, "a"]
        assert lines.next() == ["end-exist", here, here]

        (box / "new\nline").touch()
        assert lines.next() == ["created", here, "new\\x0aline"]
        (box / "a").write_text("text")
        assert lines.next() == ["changed", here, "a"]
        (box / "a").unlink()
        assert lines.next() == ["deleted", here, "a"]
        program.terminate()


# The original and its library wait for each other for ever near 3,500 requests.
FLOODS = [pytest.param(SERVER, 300, id="300 of the original server")]
if OUR_SERVER_IS_THERE:
    FLOODS.append(pytest.param(OUR_SERVER, 6000, id="6,000 of our server"))


@pytest.mark.parametrize(("server", "count"), FLOODS)
def test_a_program_may_ask_a_lot_before_it_reads(
    programs: Path, server: Path, count: int, tmp_path: Path
) -> None:
    for number in range(count):
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / "entry").touch()
    with session_of(server) as environment:
        done = subprocess.run(
            [programs / "flood", tmp_path, str(count)],
            env=environment,
            stdout=subprocess.PIPE,
            timeout=50,
            check=True,
        )
    assert done.stdout == b"%d directories answered\n" % count
