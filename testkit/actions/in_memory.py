"""Acts on a disk in memory, for tests that decide which are done, and when."""

from contextlib import suppress

from testkit.actions import acts
from testkit.doubles.disk import READ, SEARCH
from testkit.doubles.engine import Shell

MODES = {"lock": 0o000, "dim": SEARCH, "unlock": READ | SEARCH}
EXECUTE = 0o001
"""A right that has no effect on watching."""


class Act(acts.Act):
    """As `acts.Act`, with verbs for the rights of directories and files."""

    def on(self, shell: Shell) -> None:
        """Do the act; an impossible one does nothing."""
        disk = shell.disk
        with suppress(OSError):
            match self.verb:
                case "lock" | "dim" | "unlock" as verb:
                    # A right that was missing only between two polls leaves no trace.
                    if shell.has_kernel and disk.inode(self.path).is_dir:
                        disk.chmod(self.path, MODES[verb])
                case "chmod":
                    inode = disk.inode(self.path, follow=True)
                    if not inode.is_dir:
                        disk.chmod(self.path, inode.mode ^ EXECUTE)
                case _:
                    acts.perform(self, disk)
