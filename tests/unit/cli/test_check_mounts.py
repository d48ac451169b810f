"""Whether file systems that others change are polled, and whether they answer."""

import threading

from gamin.cli.check_mounts import check_mounts, silent_mounts
from gamin.cli.finding import Finding, Level
from gamin.config.gaminrc import FilesystemRule, Method, Origin
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy

LOCAL = Mount(b"/", "ext4")
REMOTE = Mount(b"/net/\x1b[2J", "nfs4")


def found(*rules: FilesystemRule, mounts: tuple[Mount, ...]) -> list[Finding]:
    known = Mounts(mounts)
    return list(check_mounts(known, Policy(rules, known)))


def rule(method: Method, seconds: float = 0.0) -> FilesystemRule:
    return FilesystemRule("nfs4", method, seconds, Origin("gaminrc", 1))


def test_without_a_remote_file_system_there_is_nothing_to_say() -> None:
    (finding,) = found(mounts=(LOCAL,))
    assert finding.level is Level.OK
    assert "no network" in finding.what


def test_a_remote_file_system_is_polled_by_default() -> None:
    (finding,) = found(mounts=(LOCAL, REMOTE))
    assert finding.level is Level.OK
    assert "is polled every" in finding.what
    assert "\x1b" not in finding.what


def test_a_rule_that_leaves_it_to_the_kernel_is_a_problem() -> None:
    (finding,) = found(rule(Method.KERNEL), mounts=(LOCAL, REMOTE))
    assert finding.level is Level.PROBLEM
    assert finding.remedy == "echo 'fsset nfs4 poll 5' >> ~/.gaminrc"


def test_a_rule_that_watches_nothing_there_is_only_noted() -> None:
    (finding,) = found(rule(Method.NONE), mounts=(LOCAL, REMOTE))
    assert finding.level is Level.NOTE


def test_a_mount_that_answers_with_an_error_is_not_silent() -> None:
    def fail(point: bytes) -> None:
        raise OSError

    assert silent_mounts([REMOTE], fail) == []


def test_all_mounts_are_asked_at_once() -> None:
    asked = threading.Barrier(2)  # neither answers before the other one is asked
    mounts = [Mount(point, "nfs") for point in (b"/a", b"/b")]
    assert silent_mounts(mounts, lambda point: asked.wait(30), seconds=30) == []


def test_a_mount_that_does_not_answer_in_time_is_silent() -> None:
    end = threading.Event()
    try:
        assert silent_mounts([REMOTE], lambda point: end.wait(30), seconds=0) == [
            REMOTE
        ]
    finally:
        end.set()
