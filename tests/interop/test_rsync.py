"""The backup with rsync that the documentation shows makes an exact copy, each time."""

import os
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gamin.cli.since import RSYNC
from testkit.actions.actor import Actor
from testkit.actions.acts import perform
from testkit.actions.real_disk import RealDisk
from testkit.remembering import remembering
from testkit.required import needs
from testkit.watches import kill_server, signal_server

pytestmark = needs("rsync")

ACTS = 60
NOT_REPORTED = ("link", "map")
"""What no kernel reports under each name; see docs/guarantees.md."""


@pytest.fixture
def tree(tmp_path: Path, session: str) -> Iterator[Path]:
    """A tree, with a server that remembers it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    with remembering(session, tmp_path / "state"):
        yield tree


def back_up(tree: Path) -> list[bytes]:
    """Have the copy beside the tree made right; return what rsync was to compare."""
    since = [sys.executable, "-m", "gamin", "since", "--name", "backup", "--rsync"]
    asked = subprocess.run([*since, str(tree)], stdout=subprocess.PIPE, check=True)
    copied = subprocess.run(
        [*shlex.split(RSYNC), str(tree), str(tree.parent / "copy")],
        input=asked.stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (copied.returncode, copied.stderr) == (0, b"")
    assert files(tree.parent / "copy") == files(tree)
    return asked.stdout.split(b"\0")[:-1]


def files(folder: Path) -> dict[bytes, object]:
    """What is in a directory and below."""
    found: dict[bytes, object] = {}
    for where, directories, others in os.walk(os.fsencode(folder)):
        for name in directories + others:
            path = os.path.join(where, name)
            status = os.lstat(path)
            content: object = None
            if stat.S_ISREG(status.st_mode):
                content = Path(os.fsdecode(path)).read_bytes(), status.st_mtime_ns
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            found[os.path.relpath(path, os.fsencode(folder))] = status.st_mode, content
    return found


def test_what_changed_is_copied_and_what_is_gone_is_deleted(tree: Path) -> None:
    for path in ("gone/deep/a", "renamed/deep/b", "to-file/c", "kept/d", "kept/e"):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text("1")
    for name in (
        "#emacs#",
        ";comment",
        "-dash",
        "line\nbreak",
        "to-directory",
        "gone;",
    ):
        (tree / name).write_text("1")
    (tree / os.fsdecode(b"\xff")).write_text("1")
    assert back_up(tree) == [b"."]
    for number, restarts in enumerate((False, True)):
        if restarts:
            signal_server(signal.SIGTERM, ends=True)
        change(tree, number)
        listed = back_up(tree)
        assert b"." not in listed
        assert b"kept/e" not in listed
        assert {b"line\nbreak", b"./#emacs#", b"./-dash"} <= set(listed)
        assert back_up(tree) == []


def change(tree: Path, number: int) -> None:
    """Change everything but kept/e; the second time, rename and replace it back. Sizes
    stay as they are."""
    gone, new = ("gone", "gone again")[:: 1 - 2 * number]
    (tree / gone).rename(tree.parent / f"trash {number}")
    (tree / new / "deep").mkdir(parents=True)
    (tree / new / "deep/a").write_text("1")
    old, renamed = ("renamed", "other")[:: 1 - 2 * number]
    (tree / old).rename(tree / renamed)
    for name in ("#emacs#", ";comment", "-dash", "line\nbreak", "kept/d"):
        (tree / name).write_text(str(2 + number))
    (tree / os.fsdecode(b"\xff")).write_text(str(2 + number))
    one, other = ("to-file", "to-directory")[:: 1 - 2 * number]
    (tree / one / "c").unlink()
    (tree / one).rmdir()
    (tree / one).write_text("a file")
    (tree / other).unlink()
    (tree / other).mkdir()
    (tree / other / "c").write_text("in a directory")


def test_what_was_deleted_before_a_complete_listing_is_deleted(tree: Path) -> None:
    (tree / "gone").mkdir()
    (tree / "gone/file").touch()
    (tree / "kept").touch()
    back_up(tree)
    for name in ("gone/file", "kept"):
        kill_server()
        for file in (tree.parent / "state").rglob("*.sqlite*"):
            file.unlink()
        (tree / name).unlink()
        if name == "kept":
            (tree / "gone").rmdir()
        assert back_up(tree) == [b"."], "nothing is left that could be listed"


def test_a_backup_after_random_acts_is_exact(tree: Path) -> None:
    outside = tree.parent / "outside"
    outside.mkdir()
    disk = RealDisk(tree, outside)
    actor = Actor(os.fsencode(tree), os.fsencode(outside), seed=1)
    for number in range(4):
        for _ in range(ACTS):
            act = actor.choose()
            if act.verb not in NOT_REPORTED:
                with suppress(OSError):
                    perform(act, disk)
        back_up(tree)
        if number % 2:
            signal_server(signal.SIGTERM, ends=True)
