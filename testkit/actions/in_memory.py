"""What programs do to a disk in memory, as values that can be made up and shown.

Which of it is done, and when, is for the tests to say.
"""

from contextlib import suppress
from typing import NamedTuple

from gamin.paths import join
from testkit.doubles.disk import READ, SEARCH
from testkit.doubles.engine import Shell

MODES = {"lock": 0o000, "dim": SEARCH, "unlock": READ | SEARCH}
EXECUTE = 0o001  # a right that is nobody's concern here


class Act(NamedTuple):
    """Something a program does to the disk; what is impossible does not happen."""

    verb: str
    path: bytes
    other: bytes = b""

    def on(self, shell: Shell) -> None:
        disk = shell.disk
        with suppress(OSError):
            match self.verb:
                case "rename":
                    disk.rename(self.path, self.other)
                case "symlink":
                    disk.symlink(self.other, self.path)
                case "link":
                    disk.link(self.other, self.path)
                case "lock" | "dim" | "unlock" as verb:
                    # A right that was missing between two looks leaves no trace.
                    if shell.has_kernel and disk.inode(self.path).is_dir:
                        disk.chmod(self.path, MODES[verb])
                case "chmod":
                    if not disk.inode(self.path, follow=True).is_dir:
                        mode = disk.inode(self.path, follow=True).mode
                        disk.chmod(self.path, mode ^ EXECUTE)
                case "replace":
                    disk.write(self.path + b".new")
                    disk.rename(self.path + b".new", self.path)
                case "move and write":
                    disk.rename(self.path, self.other)
                    disk.write(self.other)
                case "swap":
                    disk.rename(self.path, b"/third")
                    disk.rename(self.other, self.path)
                    disk.rename(b"/third", self.other)
                case "recreate":
                    disk.rename(self.path, self.other)
                    disk.makedirs(self.path)
                    disk.touch(join(self.path, b"a"))
                case verb:
                    getattr(disk, verb)(self.path)
