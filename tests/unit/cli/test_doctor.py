"""The checks of `gamin doctor`: each with what is fine, and with what is not."""

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event

import pytest

from gamin import __version__
from gamin.cli import check_limits, check_mounts, check_session, doctor
from gamin.cli.finding import Finding, Level, as_text, note, ok, problem
from gamin.cli.status import Facility, Limits, Recoveries, Report, Watches
from gamin.config.gaminrc import Mistake, parse
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.system.address import Address, Transport, find
from gamin.system.inotify_usage import Holder, holders
from testkit.original import require_original, start_original_server
from testkit.processes import beside, require_root, wait_for_end
from testkit.programs import gamin
from testkit.servers import OUR_SERVER, running_server

FEW = [Holder(7, "editor", 1, 100)]
MANY = [Holder(7, "editor", 120, 60_000)]


def levels(findings: Iterator[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


# -- limits


def test_watches_and_instances_are_fine_while_there_is_room() -> None:
    assert check_limits.check_watches(FEW, 65_536).level is Level.OK
    assert check_limits.check_instances(FEW, 128).level is Level.OK


def test_nearly_used_limits_are_problems_with_a_command_that_raises_them() -> None:
    watches = check_limits.check_watches(MANY, 65_536)
    assert watches.level is Level.PROBLEM
    assert "60000 of 65536" in watches.what
    assert "sudo sysctl fs.inotify.max_user_watches=524288" in watches.remedy
    assert "sudo sysctl" in check_limits.check_instances(MANY, 128).remedy


def test_a_full_quota_with_few_watches_is_explained() -> None:
    found = check_limits.check_quota(FEW, 65_536, lambda: errno.ENOSPC)
    assert found.level is Level.PROBLEM
    assert "hold only 100 of 65536" in found.what
    assert "unmounted" in found.why


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EMFILE])
def test_a_refused_watch_is_a_problem(failure: int) -> None:
    found = check_limits.check_quota(MANY, 65_536, lambda: failure)
    assert found.level is Level.PROBLEM
    assert os.strerror(failure) in found.what


def test_a_granted_watch_is_fine() -> None:
    assert check_limits.check_quota(MANY, 65_536, lambda: 0).level is Level.OK


def test_small_limits_are_noted() -> None:
    assert levels(check_limits.check_limits(8192, 1024)) == [Level.NOTE, Level.NOTE]
    assert levels(check_limits.check_limits(65_536, 16_384)) == []


def test_instances_and_watches_of_a_process_are_counted() -> None:
    script = (
        "from gamin.system import inotify, libc\n"
        "import os, sys, time\n"
        "one, two = inotify.open_instance(), inotify.open_instance()\n"
        "for name in (b'/', b'/usr', b'/etc'):\n"
        "    libc.inotify_add_watch(one, name, 0x400)\n"
        "libc.inotify_add_watch(two, b'/tmp', 0x400)\n"
        "child = os.fork()\n"
        "if child == 0: sys.stdin.read(); os._exit(0)\n"
        "print(child, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        found = {h.pid: h for h in holders(os.getuid())}
        process.communicate()
    counted = [found[pid] for pid in (process.pid, child) if pid in found]
    assert [(h.instances, h.watches) for h in counted] == [(2, 4)], "shared: once"


# -- mounts

NFS = Mount(b"/net", "nfs")
LOCAL = Mount(b"/", "ext4")


def policy(text: bytes = b"") -> Policy:
    rules = [rule for rule in parse(text, b"/") if not isinstance(rule, Mistake)]
    return Policy(rules, Mounts([LOCAL, NFS]))


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        pytest.param(b"", Level.OK, id="polled"),
        pytest.param(b"fsset nfs kernel", Level.PROBLEM, id="the kernel alone"),
        pytest.param(b"fsset nfs none", Level.NOTE, id="not watched"),
    ],
)
def test_a_network_file_system_must_be_polled(rules: bytes, level: Level) -> None:
    mounts = Mounts([LOCAL, NFS])
    assert levels(check_mounts.check_mounts(mounts, policy(rules))) == [level]


def test_local_file_systems_alone_are_fine() -> None:
    found = check_mounts.check_mounts(Mounts([LOCAL]), policy())
    assert levels(found) == [Level.OK]


def test_a_mount_that_does_not_answer_is_found() -> None:
    never = Event()

    def ask(point: bytes) -> None:
        if point == b"/net":
            never.wait()
        raise OSError

    try:
        assert check_mounts.silent_mounts([LOCAL, NFS], ask, 0.05) == [NFS]
    finally:
        never.set()


# -- the session


def report(**changes: object) -> Report:
    members: dict[str, object] = {
        "version": __version__,
        "pid": 9,
        "uptime": 1.0,
        "session": "",
        "addresses": [],
        "clock": 1,
        "clients": [],
        "watches": Watches(1, 0, 0, 0, 0, 0),
        "limits": Limits(100, 10),
        "facilities": {"inotify": Facility(1, 90)},
        "recoveries": Recoveries(0, 0),
    }
    return Report(**{**members, **changes})  # type: ignore[arg-type]  # of any type


def address(folder: Path, transport: Transport = Transport.AUTO) -> Address:
    session = os.fsencode(folder.name)
    return Address(os.getuid(), b"me", session, transport, bytes(folder))


def test_no_server_and_a_current_one_are_fine(tmp_path: Path) -> None:
    where = address(tmp_path)
    assert check_session.check_server(None, "", where).level is Level.OK
    assert check_session.check_server(report(), "", where).level is Level.OK


def test_an_old_server_is_a_problem(tmp_path: Path) -> None:
    found = check_session.check_server(report(version="0.0"), "", address(tmp_path))
    assert (found.level, found.remedy) == (Level.PROBLEM, "gamin stop")


def test_a_server_that_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    found = check_session.check_server(None, "it is busy", address(tmp_path))
    assert found.level is Level.PROBLEM


def test_want_of_room_is_a_problem_and_losses_are_noted() -> None:
    assert levels(check_session.check_coverage(report())) == []
    worse = report(
        watches=Watches(1, 5, 0, 0, 5, 2), recoveries=Recoveries(overflows=1, rescans=1)
    )
    found = levels(check_session.check_coverage(worse))
    assert found == [Level.PROBLEM, Level.NOTE, Level.NOTE]


def test_free_addresses_are_fine_and_nothing_is_created(tmp_path: Path) -> None:
    assert levels(check_session.check_addresses(address(tmp_path))) == [Level.OK]
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_others_may_enter_is_a_problem(tmp_path: Path) -> None:
    where = address(tmp_path)
    os.mkdir(where.directory, 0o755)
    _, found = check_session.check_addresses(where)
    assert found.level is Level.PROBLEM
    assert found.remedy == f"chmod 0700 {os.fsdecode(where.directory)}"
    assert os.stat(where.directory).st_mode & 0o777 == 0o755


def test_a_file_in_place_of_the_directory_is_a_problem(tmp_path: Path) -> None:
    where = address(tmp_path)
    Path(os.fsdecode(where.directory)).touch()
    _, found = check_session.check_addresses(where)
    assert "not a directory" in found.what


def test_a_socket_without_a_server_is_noted_and_stays(tmp_path: Path) -> None:
    where = address(tmp_path, Transport.DIRECTORY)
    os.mkdir(where.directory, 0o700)
    path = where.directory + b"/" + where.file
    folder = contextlib.chdir(os.path.dirname(path))
    with socket.socket(socket.AF_UNIX) as left, folder:
        left.bind(where.file)
    [found] = check_session.check_addresses(where)
    assert found.level is Level.NOTE
    assert found.remedy == f"rm {os.fsdecode(path)}"
    assert os.path.exists(path)


def test_sockets_left_by_other_sessions_are_one_note(tmp_path: Path) -> None:
    where = address(tmp_path, Transport.DIRECTORY)
    os.mkdir(where.directory, 0o700)
    with contextlib.chdir(where.directory):
        for name in ("fam-a", "modern-b.sock", "other"):
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(name)
    [found] = check_session.check_addresses(where)
    assert found.level is Level.NOTE
    assert found.what.startswith("2 sockets")


def _squat(pipe: Connection, name: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(name)
        taken.listen()
        pipe.send("ready")
        wait_for_end(pipe)


def test_a_name_that_another_user_holds_is_a_problem(tmp_path: Path) -> None:
    require_root()
    where = address(tmp_path)
    with beside(_squat, where.abstract, uid=65534) as stranger:
        stranger.recv()
        [found] = check_session.check_addresses(where)
    assert found.level is Level.PROBLEM
    assert "uid 65534" in found.what


def test_two_servers_of_one_session_are_a_problem() -> None:
    one = check_session.ServerProcess(1, b"s", False)
    other = check_session.ServerProcess(2, b"s", False)
    alone = check_session.ServerProcess(3, b"t", False)
    assert levels(check_session.check_single([one, alone], b"s")) == []
    [found] = check_session.check_single([one, other, alone], b"s")
    assert found.remedy == "kill 2"


def test_the_original_server_is_a_problem(session: str) -> None:
    require_original()
    where = find({"GAM_CLIENT_ID": session}, os.getuid())
    with start_original_server(session) as original:
        checked = list(check_session.check_addresses(where))
    found = [finding for finding in checked if finding.level is Level.PROBLEM]
    assert [each.remedy for each in found] == [f"kill {original.pid}"]


def test_a_real_server_is_found_with_its_session(tmp_path: Path) -> None:
    with running_server(
        [str(OUR_SERVER)], home=str(tmp_path), is_program=True
    ) as server:
        found = {each.pid: each for each in check_session.servers(os.getuid())}
        done = gamin("doctor", "--json", session=server.session)
    one = found[server.pid]
    assert (one.session, one.is_original) == (server.session.encode(), False)
    shown = json.loads(done.stdout)
    [at_server] = [f for f in shown["findings"] if f["check"] == "server"]
    assert f"process {server.pid}" in at_server["what"]
    assert server.pid in {holder["pid"] for holder in shown["holders"]}


# -- the whole


def test_problems_come_first_each_with_reason_and_remedy() -> None:
    findings = [ok("a", "fine"), note("b", "so"), problem("c", "bad\n", "why", "do")]
    assert list(doctor.report(findings, [])) == [
        r"problem  c: bad\n",
        "         why:    why",
        "         remedy: do",
        "note     b: so",
        "ok       a: fine",
    ]


def test_the_table_names_ten_processes_and_sums_up_the_others() -> None:
    held = [Holder(pid, "p\x1b", 1, 10) for pid in range(12)]
    *_, last = lines = list(doctor.report([], held))
    assert len(lines) == 1 + 1 + doctor.MAX_SHOWN + 1
    assert r"p\x1b" in lines[2]
    assert last.split() == ["2", "20", "17", "%", "(2", "other", "processes)"]


def test_a_mistake_in_the_configuration_makes_the_status_1(tmp_path: Path) -> None:
    (tmp_path / ".gaminrc").write_text("what\n")
    env = {**os.environ, "HOME": str(tmp_path), "GAM_CLIENT_ID": tmp_path.name}
    done = subprocess.run(
        [sys.executable, "-m", "gamin", "doctor"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(f"problem  configuration: {tmp_path}/.gaminrc:1")


def test_a_finding_cannot_act_on_the_terminal() -> None:
    assert all("\x1b" not in line for line in as_text(note("\x1b", "\x1b", "\x1b")))
