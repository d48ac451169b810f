"""What programs do to files, as values that can be made up, shown and repeated.

An `Act` is the same for the disk in memory and for the real one; which of them it acts
on, and when, is for others to say. What a disk offers beyond `Files` is an act, too: a
verb without a meaning here is a method of the disk with one path.
"""

from typing import NamedTuple, Protocol

from gamin.paths import join


class Files(Protocol):
    """What every disk offers; OSError for what is impossible."""

    def makedirs(self, path: bytes) -> None: ...
    def touch(self, path: bytes) -> None: ...
    def write(self, path: bytes) -> None: ...
    def rename(self, old: bytes, new: bytes) -> None: ...
    def symlink(self, target: bytes, path: bytes) -> None: ...
    def link(self, old: bytes, new: bytes) -> None: ...
    def chmod(self, path: bytes, mode: int) -> None: ...


class Act(NamedTuple):
    """One thing that a program does."""

    verb: str
    path: bytes
    other: bytes = b""
    """Where a rename leads, what a link leads to."""


def perform(act: Act, files: Files) -> None:
    """OSError where that is impossible, perhaps after a part of it was done."""
    verb, path, other = act
    match verb:
        case "symlink" | "link":
            getattr(files, verb)(other, path)
        case "replace":
            files.write(path + b".new")
            files.rename(path + b".new", path)
        case "move and write":
            files.rename(path, other)
            files.write(other)
        case "swap":
            third = path + b".third"
            files.rename(path, third)
            try:
                files.rename(other, path)
            finally:
                files.rename(third, other)
        case "recreate":
            files.rename(path, other)
            files.makedirs(path)
            files.touch(join(path, b"a"))
        case "remake":  # made, renamed and made again, before anybody can look
            files.makedirs(path)
            files.touch(join(path, b"one"))
            files.rename(path, other)
            files.makedirs(path)
            files.touch(join(path, b"two"))
        case "rename" | "exchange" | "whiteout":
            getattr(files, verb)(path, other)
        case _:
            getattr(files, verb)(path)
