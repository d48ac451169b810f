import pytest

from gamin.config.gaminrc import FilesystemRule, Method, PathRule, Rule, parse
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Decision, Policy

MOUNTS = Mounts(
    [
        Mount(b"/", "ext4"),
        Mount(b"/tmp", "tmpfs"),
        Mount(b"/net", "nfs"),
        Mount(b"/novell", "novfs"),
        Mount(b"/guest", "vboxsf"),
        Mount(b"/pool", "fuse.mergerfs"),
        Mount(b"/dev/shm/pool", "fuse.mergerfs"),
        Mount(b"/image", "fuse.squashfuse"),
        Mount(b"/mnt/share", "cifs"),
        Mount(b"/over", "overlay", (b"lowerdir=/net/l", b"upperdir=/u")),
        Mount(b"/box", "overlay", (b"lowerdir=/l", b"upperdir=/u")),
    ]
)


def policy(text: bytes = b"", poll_only: bool = False) -> Policy:
    rules: list[Rule] = []
    for item in parse(text, b"/home/me"):
        assert isinstance(item, Rule)
        rules.append(item)
    return Policy(rules, MOUNTS, poll_only)


def method(path: bytes, text: bytes = b"") -> tuple[Method, float, bool]:
    decision = policy(text).decide(path)
    return decision.method, decision.interval, decision.also_kernel


KERNEL = (Method.KERNEL, 1.0, False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/home/me", KERNEL),
        (b"/tmp/x", KERNEL),
        (b"/mnt/disk", KERNEL),
        (b"/media/disk", KERNEL),
        (b"/proc", (Method.POLL, 1.0, False)),
        (b"/proc/1/status", (Method.POLL, 1.0, False)),
        (b"/sys/class", (Method.POLL, 1.0, False)),
        (b"/dev/null", (Method.POLL, 1.0, False)),
        (b"/dev/shm", KERNEL),
        (b"/dev/shm/x", KERNEL),
        (b"/dev/shmem", (Method.POLL, 1.0, False)),
        (b"/device", KERNEL),
        (b"/net/x", (Method.POLL, 5.0, True)),
        (b"/novell/x", (Method.POLL, 30.0, True)),
        (b"/guest/x", (Method.POLL, 1.0, True)),
        (b"/pool/x", (Method.POLL, 1.0, True)),
        (b"/dev/shm/pool/x", (Method.POLL, 1.0, True)),
        (b"/image/x", KERNEL),
        (b"/mnt/share/x", (Method.POLL, 5.0, True)),
        (b"/over/x", (Method.POLL, 5.0, True)),
        (b"/box/x", KERNEL),
    ],
)
def test_the_built_in_rules_apply_without_any_file(
    path: bytes, expected: tuple[Method, float, bool]
) -> None:
    assert method(path) == expected


def test_the_first_path_rule_that_matches_counts() -> None:
    assert method(b"/a/b", b"notify /a/b\npoll /a/*")[0] is Method.KERNEL
    assert method(b"/a/b", b"poll /a/*\nnotify /a/b")[0] is Method.POLL


def test_a_path_rule_comes_before_the_built_in_ones() -> None:
    assert method(b"/dev/ttyS0", b"notify /dev/*") == KERNEL
    assert method(b"/dev/shm/x", b"poll /dev/*")[0] is Method.POLL


def test_one_line_brings_the_rule_of_the_original_back() -> None:
    text = b"poll /mnt/* /media/* /dev/* /proc/*"
    for path in (b"/mnt/a", b"/media/a", b"/dev/shm/a", b"/proc/a"):
        assert method(path, text)[0] is Method.POLL


def test_a_path_rule_counts_before_the_file_system() -> None:
    assert method(b"/net/x", b"notify /net/*") == (Method.KERNEL, 5.0, False)
    assert method(b"/tmp/x", b"fsset tmpfs none\npoll /tmp/*")[0] is Method.POLL


def test_a_polled_path_keeps_the_interval_of_its_file_system() -> None:
    assert method(b"/tmp/x", b"fsset tmpfs kernel 7\npoll /tmp/*")[1] == 7.0
    assert method(b"/net/x", b"poll /net/*") == (Method.POLL, 5.0, False)


def test_the_last_fsset_of_a_type_counts() -> None:
    text = b"fsset tmpfs none\nfsset tmpfs poll 3"
    assert method(b"/tmp/x", text) == (Method.POLL, 3.0, False)


def test_an_fsset_without_seconds_keeps_those_before_it() -> None:
    assert method(b"/tmp/x", b"fsset tmpfs poll 3\nfsset tmpfs poll")[1] == 3.0
    assert method(b"/net/x", b"fsset nfs poll")[1] == 5.0


def test_zero_seconds_are_one_look_a_second_as_in_the_original() -> None:
    assert method(b"/tmp/x", b"fsset tmpfs poll 0")[1] == 1.0


def test_a_remote_file_system_keeps_its_kernel_watch_with_an_interval_of_our_own() -> (
    None
):
    assert method(b"/net/x", b"fsset nfs poll 10") == (Method.POLL, 10.0, True)
    assert method(b"/net/x", b"fsset nfs kernel") == (Method.KERNEL, 5.0, False)


def test_nothing_is_detected_on_a_file_system_set_to_none() -> None:
    assert method(b"/tmp/x", b"fsset tmpfs none")[0] is Method.NONE


def test_an_overlay_follows_its_own_rule_before_that_of_its_part() -> None:
    assert method(b"/over/x", b"fsset nfs poll 9")[1] == 9.0
    assert method(b"/over/x", b"fsset overlay kernel")[0] is Method.KERNEL
    assert method(b"/box/x", b"fsset nfs poll 9") == KERNEL


def test_rules_match_the_requested_path_and_file_systems_the_real_one() -> None:
    followed = policy(b"poll /net/*").decide(b"/home/me/link", real=b"/net/x")
    assert (followed.method, followed.also_kernel) == (Method.POLL, True)
    assert "the file system is nfs" in followed.why


def test_poll_only_polls_everything_that_would_be_watched() -> None:
    polled = Decision(Method.POLL, 1.0, False, "the server runs with --pollonly")
    assert policy(poll_only=True).decide(b"/home") == polled
    remote = policy(poll_only=True).decide(b"/net/x")
    assert (remote.method, remote.interval, remote.also_kernel) == (
        Method.POLL,
        5.0,
        False,
    )
    nothing = policy(b"fsset tmpfs none", poll_only=True).decide(b"/tmp/x")
    assert nothing.method is Method.NONE


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (b"/home", "the file system is ext4"),
        (b"/proc/1", "poll /proc/* (built in)"),
        (b"/a", "poll /a (gaminrc:2)"),
        (b"/tmp/x", "the file system is tmpfs: fsset tmpfs poll 2 (gaminrc:3)"),
        (
            b"/net/x",
            "the file system is nfs, where the kernel tells only local changes",
        ),
        (
            b"/pool/x",
            "the file system is fuse.mergerfs, where the kernel tells only local "
            "changes",
        ),
        (
            b"/over/x",
            "the file system is overlay over nfs, "
            "where the kernel tells only local changes",
        ),
    ],
)
def test_a_decision_names_its_reason(path: bytes, why: str) -> None:
    assert policy(b"\npoll /a\nfsset tmpfs poll 2").decide(path).why == why


def test_the_rules_in_force_are_in_the_order_they_are_asked() -> None:
    rules = policy(b"poll /a\nfsset nfs none\nfsset nfs poll").in_force()
    assert str(rules[0]) == "poll /a"
    assert [str(r) for r in rules if isinstance(r, PathRule)][1:3] == [
        "notify /dev/shm",
        "notify /dev/shm/*",
    ]
    nfs = [r for r in rules if isinstance(r, FilesystemRule) and r.type == "nfs"]
    assert [str(rule) for rule in nfs] == ["fsset nfs poll 5"]


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        pytest.param("devtmpfs", True, id="devices are files like any"),
        pytest.param("proc", False, id="made up when looked at"),
        pytest.param("nfs", False, id="others change it"),
    ],
)
def test_the_file_system_decides_whether_the_kernel_reports_names(
    type_: str, told: bool
) -> None:
    policy = Policy((), Mounts([Mount(b"/dev", type_)]))
    assert policy.kernel_reports_names(b"/dev") is told


def test_mounts_differ_by_their_points_and_by_what_is_on_top() -> None:
    top, first = (
        Mount(b"/", "ext4", id=b"1"),
        Mount(b"/a", "ext4", id=b"2", parent=b"1"),
    )
    inner = Mount(b"/a/b", "ext4", id=b"3", parent=b"2")
    second = Mount(b"/a", "ext4", id=b"4", parent=b"2")
    before = Policy((), Mounts([top, first, inner]))
    assert before.remounted(before) == []
    assert Policy((), Mounts([top, first])).remounted(before) == [b"/a/b"]
    stacked = Policy((), Mounts([top, first, inner, second]))
    assert stacked.remounted(before) == [b"/a", b"/a/b"]


def test_the_rule_of_fuse_is_for_every_type_of_it_that_has_none_of_its_own() -> None:
    assert method(b"/pool/x", b"fsset fuse poll 7") == (Method.POLL, 7.0, True)
    assert method(b"/pool/x", b"fsset fuse kernel")[0] is Method.KERNEL
    text = b"fsset fuse none\nfsset fuse.mergerfs poll 7"
    assert method(b"/pool/x", text) == (Method.POLL, 7.0, True)
    assert method(b"/image/x", b"fsset fuse none") == KERNEL
