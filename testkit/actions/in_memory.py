"""Acts on a disk in memory; the tests say which of them are done, and when."""

from contextlib import suppress

from testkit.actions import acts
from testkit.doubles.disk import READ, SEARCH
from testkit.doubles.engine import Shell

MODES = {"lock": 0o000, "dim": SEARCH, "unlock": READ | SEARCH}
EXECUTE = 0o001
"""A right that is of no concern to anybody who watches."""


class Act(acts.Act):
    """As `acts.Act`, and the rights of directories and files."""

    def on(self, shell: Shell) -> None:
        """What is impossible does not happen."""
        disk = shell.disk
        with suppress(OSError):
            match self.verb:
                case "lock" | "dim" | "unlock" as verb:
                    # A right that was missing between two looks leaves no trace.
                    if shell.has_kernel and disk.inode(self.path).is_dir:
                        disk.chmod(self.path, MODES[verb])
                case "chmod":
                    inode = disk.inode(self.path, follow=True)
                    if not inode.is_dir:
                        disk.chmod(self.path, inode.mode ^ EXECUTE)
                case _:
                    acts.perform(self, disk)
