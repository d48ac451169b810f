import stat

from testkit.rows import FILE, FakeDisk, row


def test_a_row_never_probes_the_disk_by_itself() -> None:
    disk = FakeDisk(FILE)
    assert row(disk=disk).name == b"a.c"
    assert disk.probes == []


def test_a_row_probes_the_disk_only_once() -> None:
    disk = FakeDisk(FILE)
    seen = row(disk=disk)
    assert seen.stat is seen.stat is FILE
    assert disk.probes == [b"a.c"]


def test_a_row_probes_a_vanished_file_only_once() -> None:
    disk = FakeDisk(None)
    seen = row(disk=disk)
    assert stat.S_ISREG(seen.stat.st_mode)
    assert seen.stat.st_size == 0
    assert disk.probes == [b"a.c"]


def test_a_deleted_file_is_not_probed() -> None:
    disk = FakeDisk(FILE)
    seen = row(disk=disk, exists=False, is_dir=True)
    assert stat.S_ISDIR(seen.stat.st_mode)
    assert disk.probes == []
