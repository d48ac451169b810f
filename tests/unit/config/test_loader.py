import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.config.loader import (
    MAX_SIZE,
    MountWatcher,
    home_directory,
    read,
    read_mounts,
)
from gamin.config.mounts import Mounts
from gamin.daemon.io.loop import Loop


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


def test_the_files_are_read_in_the_order_system_user_mandatory(
    home: Path, system: Path
) -> None:
    (system / "mandatory_gaminrc").write_text("poll /third")
    (home / ".gaminrc").write_text("poll ~/second")
    (system / "gaminrc").write_text("poll /first")

    found = read(str(home), str(system))

    assert [f"{rule} {rule.origin}" for rule in found.rules] == [
        f"poll /first {system}/gaminrc:1",
        f"poll {home}/second {home}/.gaminrc:1",
        f"poll /third {system}/mandatory_gaminrc:1",
    ]
    assert not found.mistakes


def test_missing_files_are_no_mistake(home: Path, system: Path) -> None:
    found = read(str(home / "nobody"), str(system / "gaminrc"))
    assert (found.rules, found.mistakes) == ((), ())


def test_mistakes_name_their_file_and_line(home: Path, system: Path) -> None:
    (home / ".gaminrc").write_text("\nwhat\npoll /a")
    found = read(str(home), str(system))
    assert [str(m) for m in found.mistakes] == [
        f"{home}/.gaminrc:2: not understood: what"
    ]
    assert len(found.rules) == 1


def test_the_last_flow_line_of_a_name_counts(home: Path, system: Path) -> None:
    (home / ".gaminrc").write_text("flow calm_seconds 9\nflow report_interval 2")
    (system / "mandatory_gaminrc").write_text("flow calm_seconds 3")
    assert read(str(home), str(system)).flow == FlowSettings(
        calm_seconds=3.0, report_interval=2.0
    )


def test_a_pipe_in_place_of_a_file_is_a_mistake_and_blocks_nothing(
    home: Path, system: Path
) -> None:
    os.mkfifo(home / ".gaminrc")
    (mistake,) = read(str(home), str(system)).mistakes
    assert str(mistake) == f"{home}/.gaminrc: not a regular file"


def test_a_directory_in_place_of_a_file_is_a_mistake(home: Path, system: Path) -> None:
    (home / ".gaminrc").mkdir()
    assert len(read(str(home), str(system)).mistakes) == 1


def test_a_huge_file_is_a_mistake(home: Path, system: Path) -> None:
    with (home / ".gaminrc").open("wb") as stream:
        stream.truncate(MAX_SIZE + 1)
    (mistake,) = read(str(home), str(system)).mistakes
    assert mistake.what == f"larger than {MAX_SIZE} bytes"


def test_a_link_to_a_file_is_followed(home: Path, system: Path) -> None:
    (home / "dotfiles").write_text("poll /a")
    (home / ".gaminrc").symlink_to("dotfiles")
    assert len(read(str(home), str(system)).rules) == 1


def test_home_is_that_of_the_environment_or_of_the_account() -> None:
    assert home_directory({"HOME": "/home/me"}) == "/home/me"
    account = home_directory({})
    assert account.startswith("/")
    assert home_directory({"HOME": "relative"}) == account


@pytest.mark.skipif(sys.platform != "linux", reason="mountinfo is Linux's")
def test_the_mounts_of_this_machine_are_read() -> None:
    mounts = read_mounts()
    assert mounts.of(b"/proc/self").type == "proc"
    assert mounts.of(b"/").type != "unknown"


@pytest.mark.skipif(sys.platform != "linux", reason="mountinfo is Linux's")
def test_a_quiet_watcher_is_not_readable() -> None:
    watcher = MountWatcher()
    try:
        watcher.read()
        assert not select.select([watcher], [], [], 0)[0]
    finally:
        watcher.close()


def _new_mounts(directory: str) -> None:
    """Mount and unmount under the loop's eyes; write what is told each time."""
    watcher = MountWatcher()
    loop = Loop()
    told: list[Mounts] = []
    loop.add_reader(watcher.fileno(), lambda: told.append(watcher.read()))
    place = os.fsencode(directory)
    watcher.read()
    for command in (
        ["mount", "-t", "tmpfs", "none", directory],
        ["umount", directory],
    ):
        subprocess.run(command, check=True)
        loop.run_once(10)
        sys.stdout.write(f"{told.pop().of(place).point == place}\n")
    watcher.close()
    loop.close()


def can_mount_in_private() -> bool:
    """Root may, except in a container that was not given the right."""
    if os.getuid() != 0 or shutil.which("unshare") is None:
        return False
    inside = ["unshare", "--mount", "true"]
    return subprocess.run(inside, capture_output=True, check=False).returncode == 0


def test_a_mount_and_an_unmount_wake_the_loop(tmp_path: Path) -> None:
    """In a mount namespace of its own, so the machine sees nothing of it."""
    if not can_mount_in_private():
        pytest.skip("only root may make a mount namespace")
    program = (
        "import sys; from tests.unit.config.test_loader import _new_mounts;"
        "_new_mounts(sys.argv[1])"
    )
    inside = ["unshare", "--mount", sys.executable, "-c", program, str(tmp_path)]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        inside, cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["True", "False"], "")
