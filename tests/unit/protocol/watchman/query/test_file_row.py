import stat

from testkit.rows import FILE, FakeDisk, row


def test_a_row_never_looks_at_the_disk_by_itself() -> None:
    disk = FakeDisk(FILE)
    assert row(disk=disk).name == b"a.c"
    assert disk.probes == []


def test_a_row_looks_at_the_disk_only_once() -> None:
    disk = FakeDisk(FILE)
    seen = row(disk=disk)
    assert seen.stat is seen.stat is FILE
    assert disk.probes == [b"a.c"]


def test_a_row_looks_only_once_for_what_has_just_vanished() -> None:
    disk = FakeDisk(None)
    seen = row(disk=disk)
    assert stat.S_ISREG(seen.stat.st_mode)
    assert seen.stat.st_size == 0
    assert disk.probes == [b"a.c"]


def test_what_is_deleted_is_not_looked_for() -> None:
    disk = FakeDisk(FILE)
    seen = row(disk=disk, exists=False, is_dir=True)
    assert stat.S_ISDIR(seen.stat.st_mode)
    assert disk.probes == []
