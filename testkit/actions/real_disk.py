"""Acts on the files below some directories of the real disk.

Nothing above these directories is touched, wherever symbolic links lead.
"""

import mmap
import os
import shutil
from contextlib import suppress

from gamin.paths import is_within
from testkit.actions.renameat2 import RENAME_EXCHANGE, RENAME_WHITEOUT, renameat2

LINKED = 12345
"""The group of files that have had several names: see `testkit.beliefs.watch`."""


class RealDisk:
    """As `acts.Files`, with more verbs. Each raises OSError if it is impossible."""

    def __init__(self, *ours: str | os.PathLike[str]) -> None:
        self._ours = [os.path.realpath(os.fsencode(each)) for each in ours]

    def _refuse_what_is_not_ours(self, *paths: bytes) -> None:
        for path in paths:
            for real in map(os.path.realpath, (os.path.dirname(path), path)):
                if not any(is_within(real, ours) for ours in self._ours):
                    raise PermissionError(real)

    def touch(self, path: bytes) -> None:
        self._refuse_what_is_not_ours(path)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
        os.utime(path)

    def write(self, path: bytes) -> None:
        """Replace the content of a file; create it if it is missing.

        It is never empty meanwhile: an access to a mapping of an empty file would
        kill a process that is in `map` at that moment.
        """
        self._refuse_what_is_not_ours(path)
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            os.ftruncate(file, os.write(file, os.urandom(1 + os.urandom(1)[0] % 50)))
        finally:
            os.close(file)

    def hammer(self, path: bytes) -> None:
        """Append to an existing file so often that it becomes busy."""
        self._refuse_what_is_not_ours(path)
        if os.path.isfile(path):
            for number in range(30):
                with open(path, "ab") as file:
                    file.write(b"%d" % number)

    def map(self, path: bytes) -> None:
        """Write to an existing file through a mapping (man 2 mmap)."""
        self._refuse_what_is_not_ours(path)
        if not os.path.isfile(path):
            return
        with open(path, "r+b") as file:
            try:
                mapping = mmap.mmap(file.fileno(), 0)
            except ValueError:  # it is empty
                return
            with mapping:
                mapping[0] = (mapping[0] + 1) % 256

    def unlink(self, path: bytes) -> None:
        self._refuse_what_is_not_ours(path)
        os.unlink(path)

    def mkdir(self, path: bytes) -> None:
        self._refuse_what_is_not_ours(path)
        os.mkdir(path)

    def makedirs(self, path: bytes) -> None:
        self._refuse_what_is_not_ours(path)
        os.makedirs(path, exist_ok=True)

    def rmtree(self, path: bytes) -> None:
        self._refuse_what_is_not_ours(path)
        shutil.rmtree(path)

    def remove(self, path: bytes) -> None:
        """Remove a file, a link or a whole directory."""
        if os.path.isdir(path) and not os.path.islink(path):
            self.rmtree(path)
        else:
            self.unlink(path)

    def crowd(self, path: bytes) -> None:
        """Create many files in a directory; delete every other one at once."""
        self._refuse_what_is_not_ours(path)
        for number in range(20):
            file = path + b"/file%d" % number
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o666))
            if number % 2:
                os.unlink(file)

    def rename(self, old: bytes, new: bytes) -> None:
        self._refuse_what_is_not_ours(old, new)
        os.rename(old, new)

    def exchange(self, old: bytes, new: bytes) -> None:
        self._refuse_what_is_not_ours(old, new)
        renameat2(old, new, RENAME_EXCHANGE)

    def whiteout(self, old: bytes, new: bytes) -> None:
        self._refuse_what_is_not_ours(old, new)
        renameat2(old, new, RENAME_WHITEOUT)

    def symlink(self, target: bytes, path: bytes) -> None:
        self._refuse_what_is_not_ours(path)
        os.symlink(target, path)

    def link(self, old: bytes, new: bytes) -> None:
        self._refuse_what_is_not_ours(old, new)
        with suppress(PermissionError):
            os.chown(old, -1, LINKED, follow_symlinks=False)
        os.link(old, new, follow_symlinks=False)

    def chmod(self, path: bytes, mode: int = 0o600) -> None:
        """Toggle between two modes; the owner may read and write with both."""
        self._refuse_what_is_not_ours(path)
        was = os.stat(path).st_mode
        os.chmod(path, 0o700 if was & 0o055 else 0o755)
