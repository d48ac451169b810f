"""A server keeps no descriptor, limit or setting of the program that starts it."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.daemon.process.inherited import LIMITS, MIN_DESCRIPTORS, UMASK
from testkit.daemon import PROGRAM, Daemon, daemon, works
from testkit.server_state import descriptors

FOREIGN_DESCRIPTOR = 9
"""A descriptor that the starter leaves open in the server."""

STARTER = """
import os, resource, signal, sys
{setup}
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A program that changes its own state and then executes the server."""

LOWER_LIMITS = f"""
for limit, soft in {[(limit, 1 << 31) for limit in LIMITS]}:
    hard = resource.getrlimit(limit)[1]
    if limit != resource.RLIMIT_STACK:
        resource.setrlimit(limit, (soft, hard))
"""


@contextmanager
def started_after(setup: str, session: str, folder: Path) -> Iterator[Daemon]:
    starter = (sys.executable, "-c", STARTER.format(setup=setup))
    with daemon(session, folder, prefix=starter) as served:
        yield served


def status_of(served: Daemon) -> dict[str, str]:
    lines = Path(f"/proc/{served.process.pid}/status").read_text().splitlines()
    return {name: text.strip() for name, _, text in (x.partition(":") for x in lines)}


def test_a_server_starts_in_a_current_directory_that_was_removed(
    session: str, tmp_path: Path
) -> None:
    setup = f"os.mkdir('{tmp_path}/gone'); os.chdir('{tmp_path}/gone')"
    setup += f"; os.rmdir('{tmp_path}/gone')"
    with started_after(setup, session, tmp_path / "home") as served:
        assert os.readlink(f"/proc/{served.process.pid}/cwd") == "/"
        assert works(served, tmp_path / "box")


def test_a_server_has_its_own_umask(session: str, tmp_path: Path) -> None:
    with started_after("os.umask(0o777)", session, tmp_path) as served:
        assert int(status_of(served)["Umask"], 8) == UMASK


def test_soft_limits_rise_to_the_hard_ones(session: str, tmp_path: Path) -> None:
    with started_after(LOWER_LIMITS, session, tmp_path) as served:
        for limit in LIMITS:
            soft, hard = resource.prlimit(served.process.pid, limit)
            assert soft == hard, limit


def test_a_low_limit_of_open_files_rises_as_far_as_it_may(
    session: str, tmp_path: Path
) -> None:
    setup = "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 200))"
    with started_after(setup, session, tmp_path) as served:
        limits = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
        assert limits == (200, 200)


def test_too_few_open_files_are_an_error_that_says_so(
    session: str, tmp_path: Path
) -> None:
    few = "resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))"
    done = subprocess.run(
        [sys.executable, "-c", STARTER.format(setup=few), PROGRAM, session],
        env=os.environ | {"GAMIN_SOCKET_DIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "gam_server: only 12 open files are allowed, a server needs at least "
        f"{MIN_DESCRIPTORS} (raise the hard limit: ulimit -Hn)\n"
    )


def test_signals_that_were_ignored_or_blocked_have_their_usual_effect(
    session: str, tmp_path: Path
) -> None:
    setup = (
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN);"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])"
    )
    with started_after(setup, session, tmp_path) as served:
        status = status_of(served)
        assert int(status["SigBlk"], 16) == 0
        # Those of the C library itself (32 and 33) are not the server's affair.
        ignored = int(status["SigIgn"], 16) & 0x7FFF_FFFF
        expected = {signal.SIGPIPE, signal.SIGXFSZ}  # by Python itself
        assert ignored == sum(1 << (number - 1) for number in expected)
        served.process.terminate()
        assert served.process.wait(50) == 0


def test_open_files_of_the_starter_are_closed(session: str, tmp_path: Path) -> None:
    setup = f"r, w = os.pipe(); os.dup2(w, {FOREIGN_DESCRIPTOR}); os.dup2(w, 1)"
    with started_after(setup, session, tmp_path) as served:
        there = descriptors(served.process.pid)
        assert there[0] == there[1] == os.devnull
        pipes = [path for path in there.values() if path.startswith("pipe:")]
        assert len(pipes) == 2  # the two ends of its own, for signals


def test_closed_standard_streams_are_not_reused(session: str, tmp_path: Path) -> None:
    """libgamin closes them. A log line must not go to the socket of a client."""
    with started_after("os.closerange(0, 3)", session, tmp_path) as served:
        there = descriptors(served.process.pid)
        assert {there[each] for each in (0, 1, 2)} == {os.devnull}
        assert works(served, tmp_path / "box")


def test_a_server_is_in_a_session_of_its_own(session: str, tmp_path: Path) -> None:
    with daemon(session, tmp_path, is_program=True) as served:
        assert os.getsid(served.process.pid) == served.process.pid


def test_priority_and_processors_are_the_usual_ones(
    session: str, tmp_path: Path
) -> None:
    """Priorities are reset as far as rights allow: only root may lower a nice value."""
    setup = "os.nice(5); os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])"
    with started_after(setup, session, tmp_path) as served:
        pid = served.process.pid
        assert os.sched_getaffinity(pid) >= os.sched_getaffinity(0)
        if os.getuid() == 0 and can_lower_nice_value():
            assert os.getpriority(os.PRIO_PROCESS, pid) == 0


def can_lower_nice_value() -> bool:
    program = "import os; os.nice(1); os.setpriority(os.PRIO_PROCESS, 0, 0)"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_score_for_lack_of_memory_is_that_of_any_program(
    session: str, tmp_path: Path
) -> None:
    score = "/proc/self/oom_score_adj"
    if Path(score).read_text().strip() != "0":
        pytest.skip("the tests themselves have another score")
    with started_after(f"open('{score}', 'w').write('500')", session, tmp_path) as s:
        found = int(Path(f"/proc/{s.process.pid}/oom_score_adj").read_text())
        assert found == 0
