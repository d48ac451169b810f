"""Reading mountinfo and being woken by a mount."""

import os
import select
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gamin.config.loader import mounts_from
from gamin.daemon.io.loop import Loop
from gamin.system import mountinfo
from gamin.system.mountinfo import MountWatcher
from testkit.descriptors import no_free_descriptor
from testkit.servers import can_mount


def test_the_text_lists_the_mounts_of_this_process() -> None:
    mounts = mounts_from(mountinfo.read())
    assert mounts.of(b"/proc/self").type == "proc"


def test_a_watcher_is_not_readable_while_nothing_is_mounted() -> None:
    watcher = MountWatcher()
    try:
        watcher.read()
        assert not select.select([watcher], [], [], 0)[0]
    finally:
        watcher.close()


def test_a_watcher_reads_the_mounts_without_a_free_descriptor() -> None:
    watcher = MountWatcher()
    with closing(watcher), no_free_descriptor():
        text = watcher.read()
    assert mounts_from(text).of(b"/proc/self").type == "proc"


def mount_and_unmount(directory: str) -> None:
    """Print after each of the two whether the loop sees the mount."""
    watcher = MountWatcher()
    loop = Loop()
    texts: list[bytes] = []
    loop.add_reader(watcher.fileno(), lambda: texts.append(watcher.read()))
    place = os.fsencode(directory)
    watcher.read()
    for command in (
        ["mount", "-t", "tmpfs", "none", directory],
        ["umount", directory],
    ):
        subprocess.run(command, check=True)
        loop.run_once(10)
        sys.stdout.write(f"{mounts_from(texts.pop()).of(place).point == place}\n")
    watcher.close()
    loop.close()


def test_a_mount_and_an_unmount_wake_the_loop(tmp_path: Path) -> None:
    """In a mount namespace of its own, so nothing else on the machine is affected."""
    if os.getuid() != 0 or not can_mount():
        pytest.skip("only root may make a mount namespace")
    program = (
        "import sys; from tests.unit.system.test_mountinfo import mount_and_unmount;"
        "mount_and_unmount(sys.argv[1])"
    )
    inside = ["unshare", "--mount", sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(
        inside,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["True", "False"], "")
