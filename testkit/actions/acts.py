"""Acts of programs on files, as values that can be generated, printed and repeated.

An `Act` is the same for the disk in memory and for the real one; the caller decides
on which it acts, and when. What a disk offers beyond `Files` is an act, too: a
verb without a meaning here is a method of the disk with one path.
"""

from typing import NamedTuple, Protocol

from gamin.paths import join


class Files(Protocol):
    """The operations of every disk; each raises OSError if it is impossible."""

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
    """The target of a rename or of a link."""


def perform(act: Act, files: Files) -> None:
    """Do the act. Raises OSError if it is impossible, perhaps after a part of it."""
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
        case "remake":  # created, renamed and created again, before a probe
            files.makedirs(path)
            files.touch(join(path, b"one"))
            files.rename(path, other)
            files.makedirs(path)
            files.touch(join(path, b"two"))
        case "rename" | "exchange" | "whiteout":
            getattr(files, verb)(path, other)
        case _:
            getattr(files, verb)(path)
