"""Which mounts below a directory are watched as paths of their own."""

from gamin.compat.mounts import mounts_below

LINES = rb"""
21 1 8:1 / / rw - ext4 /dev/root rw
22 21 0:4 / /proc rw - proc proc rw
23 22 0:5 / /proc/data rw - tmpfs tmpfs rw
24 21 0:6 / /home/me/src rw shared:1 - tmpfs tmpfs rw
25 24 0:7 / /home/me/src/two\040words rw - ext4 /dev/sdb rw
26 21 0:8 / /home/me/srcs rw - tmpfs tmpfs rw
27 21 0:9 / /home/me/sys rw - sysfs sysfs rw
"""


def test_a_mount_counts_only_strictly_below_a_path() -> None:
    assert mounts_below(["/home/me/src"], LINES) == ["/home/me/src/two words"]


def test_file_systems_of_the_kernel_and_what_is_in_them_are_left_out() -> None:
    assert mounts_below(["/"], LINES) == [
        "/home/me/src",
        "/home/me/src/two words",
        "/home/me/srcs",
    ]


def test_without_mountinfo_there_are_none() -> None:
    assert mounts_below(["/"], b"") == []


def test_by_default_the_mounts_of_this_process_count() -> None:
    assert "/proc" not in mounts_below(["/"])
