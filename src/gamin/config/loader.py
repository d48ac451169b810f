"""Reads what the policy is made of: the three gaminrc files and the mounts.

What is in them is `core.gaminrc`'s and `core.mounts`' affair. Nothing here waits:
whoever holds the loop asks again when a file or the mounts have changed.
"""

import os
import pwd
import select
import stat
from collections.abc import Mapping
from typing import NamedTuple

from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import FlowRule, Mistake, Origin, Rule, parse
from gamin.config.mounts import Mounts
from gamin.config.mounts import parse as parse_mounts

SYSTEM_DIRECTORY = "/etc/gamin"
MAX_SIZE = 1 << 20  # bytes; no file written by hand comes near it

_MOUNTINFO = "/proc/self/mountinfo"


class Configuration(NamedTuple):
    """What the files say, in their order."""

    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def flow(self) -> FlowSettings:
        set_ = {r.name: r.value for r in self.rules if isinstance(r, FlowRule)}
        return FlowSettings().replaced(set_)


def home_directory(environment: Mapping[str, str] = os.environ) -> str:
    """$HOME, as in the original; else the password database's for the real uid."""
    home = environment.get("HOME", "")
    if home.startswith("/"):
        return home
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a uid without an account, as in containers
        return "/"


def config_home(environment: Mapping[str, str] = os.environ) -> bytes:
    """$XDG_CONFIG_HOME; empty where it is not set, or not absolute (which the base
    directory specification says to ignore)."""
    place = environment.get("XDG_CONFIG_HOME", "")
    return os.fsencode(place) if place.startswith("/") else b""


def files(home: str, system: str = SYSTEM_DIRECTORY) -> tuple[str, str, str]:
    """The files in the order they are read, whether they are there or not."""
    return (
        os.path.join(system, "gaminrc"),
        os.path.join(home, ".gaminrc"),
        os.path.join(system, "mandatory_gaminrc"),
    )


def read(home: str | None = None, system: str = SYSTEM_DIRECTORY) -> Configuration:
    """Read all three. A missing file is none; one that cannot be read is a mistake."""
    home = home_directory() if home is None else home
    rules: list[Rule] = []
    mistakes: list[Mistake] = []
    for file in files(home, system):
        try:
            text = _read_file(file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            reason = error.strerror or "cannot be read"
            mistakes.append(Mistake(reason, Origin(file)))
            continue
        for item in parse(text, os.fsencode(home), file):
            if isinstance(item, Mistake):
                mistakes.append(item)
            else:
                rules.append(item)
    return Configuration(tuple(rules), tuple(mistakes))


def _read_file(file: str) -> bytes:
    """Raises OSError also for what would block or never end: a pipe, a device."""
    # O_NONBLOCK: opening a named pipe would wait for a writer.
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        text = stream.read(MAX_SIZE + 1)
    if len(text) > MAX_SIZE:
        raise OSError(0, f"larger than {MAX_SIZE} bytes")
    return text


def read_mounts() -> Mounts:
    """The mounts this process sees; none where the system does not tell."""
    try:
        with open(_MOUNTINFO, "rb") as stream:
            return Mounts(parse_mounts(stream.read()))
    except OSError:
        return Mounts()


class MountWatcher:
    """A descriptor that becomes readable when something is mounted or unmounted.

    The kernel announces that on mountinfo as POLLPRI and POLLERR (proc_pid_mounts(5)),
    which the loop's `add_reader` does not wait for; an epoll around the file is
    readable whenever the file has such news. The news is gone once any poll has seen
    it, even an inner one whose answer reaches nobody. So call `read` once after
    the descriptor has been added to the loop, and then each time it is readable:
    nothing is missed, and being woken once too often is harmless.
    """

    def __init__(self) -> None:
        """Raises OSError where there is no /proc."""
        self._file = os.open(_MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(self._file, select.EPOLLPRI | select.EPOLLERR)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self) -> Mounts:
        """The mounts as they are now."""
        # Should the news still be unseen, this makes it seen; it never waits.
        self._epoll.poll(0)
        return read_mounts()

    def close(self) -> None:
        self._epoll.close()
        os.close(self._file)
