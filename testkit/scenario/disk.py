"""The commands of a scenario that happen on the disk, carried out for real.

Which command is allowed where, `scenario.py` has checked.
"""

import os
import shutil
import subprocess

from testkit.scenario.commands import Command


class Disk:
    """A scenario's directory, seen by the test process and by the server.

    `inside` is the process whose mount namespace is meant; None for our own.
    """

    def __init__(self, root: bytes, inside: int | None = None) -> None:
        self._root = root
        self._inside = inside
        self._locked: list[tuple[bytes, int]] = []

    def path(self, name: bytes) -> bytes:
        # /proc/PID/root shows what that process sees, its mounts included.
        view = b"/proc/%d/root" % self._inside if self._inside else b""
        return view + self._root + b"/" + name

    def do(self, command: Command) -> None:
        match command.verb, command.words:
            case "mkdir" | "touch" | "rm" | "mkfifo" as verb, names:
                for name in names:
                    self._one(verb, command.flag, self.path(name))
            case "write", (name, text):
                _write(self.path(name), os.O_CREAT | os.O_TRUNC, text)
            case "append", (name, *texts):
                for text in texts:
                    _write(self.path(name), os.O_CREAT | os.O_APPEND, text)
            case "truncate", (name,):
                _write(self.path(name), os.O_TRUNC, b"")
            case "open", (name,):
                _write(self.path(name), 0, b"")
            case "read" | "list", (name,):
                self._look(self.path(name))
            case "chmod", (mode, name):
                self._chmod(self.path(name), int(mode, 8))
            case "utime", (name,):
                os.utime(self.path(name))
            case "rmdir", (name,):
                os.rmdir(self.path(name))
            case "mv", (old, new):
                os.rename(self.path(old), self.path(new))
            case "ln", (target, name) if command.flag:
                os.symlink(target, self.path(name))
            case "ln", (target, name):
                os.link(self.path(target), self.path(name))
            case "mount" | "bind" | "umount", names:
                self._mount(command.verb, [self._root + b"/" + n for n in names])
            case _:
                raise AssertionError(f"not a command for the disk: {command}")

    def _one(self, verb: str, flag: bytes, path: bytes) -> None:
        match verb, flag:
            case "mkdir", b"-p":
                os.makedirs(path)
            case "mkdir", _:
                os.mkdir(path)
            case "touch", _:
                _write(path, os.O_CREAT | os.O_EXCL, b"")
            case "rm", b"-r":
                shutil.rmtree(path)
            case "rm", _:
                os.unlink(path)
            case "mkfifo", _:
                os.mkfifo(path)

    def _look(self, path: bytes) -> None:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            with open(path, "rb") as file:
                file.read()

    def _chmod(self, path: bytes, mode: int) -> None:
        self._locked.append((path, os.stat(path).st_mode))
        os.chmod(path, mode)

    def _mount(self, verb: str, paths: list[bytes]) -> None:
        # ramfs is a type that nothing else on the machine is likely to have.
        what = {
            "mount": ["mount", "-t", "ramfs", "none"],
            "bind": ["mount", "--bind"],
            "umount": ["umount"],
        }[verb]
        enter = ["nsenter", f"--mount=/proc/{self._inside}/ns/mnt"]
        done = subprocess.run(
            [*enter, *what, *paths], stderr=subprocess.PIPE, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def restore(self) -> None:
        """Gives back the rights that were taken, so that all can be removed."""
        for path, mode in reversed(self._locked):
            if os.path.exists(path):
                os.chmod(path, mode)


def _write(path: bytes, flags: int, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | flags, 0o644)
    try:
        if text:
            os.write(descriptor, text)
    finally:
        os.close(descriptor)
