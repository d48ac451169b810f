"""Who holds inotify instances: read from /proc, with instances of this process."""

import os
from pathlib import Path

from gamin.events import CREATE
from gamin.system import libc
from gamin.system.inotify import open_instance
from gamin.system.inotify_usage import Holder, holders, total


def own() -> tuple[int, int]:
    """The instances and watches of this process."""
    found = [holder for holder in holders(os.getuid()) if holder.pid == os.getpid()]
    return total(found)


def test_an_instance_and_its_watches_are_counted(tmp_path: Path) -> None:
    instances, watches = own()
    (tmp_path / "below").mkdir()
    instance = open_instance()
    try:
        for path in (tmp_path, tmp_path / "below"):
            libc.inotify_add_watch(instance, bytes(path), CREATE)
        assert own() == (instances + 1, watches + 2)
    finally:
        os.close(instance)
    assert own() == (instances, watches)


def test_the_sum_counts_all_instances_and_watches() -> None:
    several = (Holder(1, "a", 2, 30), Holder(2, "b", 1, 4))
    assert total(iter(several)) == (3, 34)
    assert total([]) == (0, 0)


def test_processes_of_another_user_are_not_listed() -> None:
    assert holders(4_000_000_000) == []
