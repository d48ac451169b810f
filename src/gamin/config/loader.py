"""Reads the sources of the policy: the three gaminrc files and the mounts.

The one module of `config/` that does I/O. `gaminrc` and `mounts` parse the text.
Nothing here waits: the server calls again when a file or the mounts have changed.
"""

import errno
import os
import pwd
import stat
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from gamin.config.client_limits import ClientLimits
from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import (
    FlowRule,
    LimitRule,
    Mistake,
    Origin,
    Rule,
    StateRule,
    parse,
)
from gamin.config.mounts import Mounts
from gamin.config.mounts import parse as parse_mounts
from gamin.config.state_settings import StateSettings
from gamin.system import errands, mountinfo
from gamin.system.errands import Distant, Errand
from gamin.system.small_file import opened

SYSTEM_DIRECTORY = "/etc/gamin"
"""Where the two files of the administrator are."""

MAX_SIZE = 1 << 20
"""Bytes of one file. No file written by hand comes near it."""


EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors that say nothing about a file: no descriptor or no memory is left. What the
file holds is unknown then, and the caller tries again."""


class Configuration(NamedTuple):
    """The content of all files, in the order in which they are read."""

    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]
    is_partial: bool = False
    """The user's file is not read yet, because its mount does not answer."""

    @property
    def flow(self) -> FlowSettings:
        set_ = {r.name: r.value for r in self.rules if isinstance(r, FlowRule)}
        return FlowSettings().replaced(set_)

    @property
    def limits(self) -> ClientLimits:
        set_ = {r.name: r.value for r in self.rules if isinstance(r, LimitRule)}
        return ClientLimits().replaced(set_)

    @property
    def state(self) -> StateSettings:
        set_ = {r.name: r.value for r in self.rules if isinstance(r, StateRule)}
        return StateSettings().replaced(set_)


class NotBelieved(Exception):
    """A file that is there and is not followed; the text says why."""


WATCHMAN_CONFIG = "/etc/watchman.json"


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


def state_home(environment: Mapping[str, str] = os.environ) -> bytes:
    """The directory for what is remembered; empty if $GAMIN_STATE is "off".

    $XDG_STATE_HOME/gamin; else ~/.local/state/gamin.
    """
    if environment.get("GAMIN_STATE", "").lower() == "off":
        return b""
    place = environment.get("XDG_STATE_HOME", "")
    if not place.startswith("/"):
        place = os.path.join(home_directory(environment), ".local/state")
    return os.path.join(os.fsencode(place), b"gamin")


def watchman_files(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Watchman's global configuration, where it may be; the later files count more."""
    named = environment.get("WATCHMAN_CONFIG_FILE", "")
    top = named or WATCHMAN_CONFIG
    return [top, os.path.join(home_directory(environment), ".watchman.json")]


def watchman_state_file(
    session: bytes, environment: Mapping[str, str] = os.environ
) -> tuple[bytes, int, bool] | None:
    """The file that keeps what clients watch for good: its path, whose it must be, and
    whether it is in `state_home`. None if nothing is to be kept.

    $GAMIN_WATCHMAN_STATE names another file, or is "off".
    """
    chosen = environment.get("GAMIN_WATCHMAN_STATE", "")
    if chosen.lower() == "off":
        return None
    if chosen.startswith("/"):
        return os.fsencode(chosen), os.getuid(), False
    directory = state_home(environment)
    if not directory:
        return None
    name = b"session-" + session + b".watches.json"
    return os.path.join(directory, name), os.getuid(), True


def files(home: str, system: str = SYSTEM_DIRECTORY) -> tuple[str, str, str]:
    """The files in the order in which they are read, whether they exist or not."""
    return (
        os.path.join(system, "gaminrc"),
        os.path.join(home, ".gaminrc"),
        os.path.join(system, "mandatory_gaminrc"),
    )


def read_in_time(seconds: float) -> Configuration:
    """As `read`, but wait at most so many seconds for a mount that does not answer;
    what the user's file says is unknown then."""
    try:
        return read()
    except Distant as distant:
        errand = Errand(distant.point, read)
    errand.start(lambda: None)
    try:
        return errand.wait(seconds)
    except TimeoutError:
        return read(skips_user=True)


def read(
    home: str | None = None,
    system: str = SYSTEM_DIRECTORY,
    *,
    skips_user: bool = False,
) -> Configuration:
    """Read all three files, or those of the administrator alone.

    A missing file is no mistake. A file that cannot be read or is not believed is one.
    Raises OSError with an error of EXHAUSTED: then none of the files is known. Raises
    Distant where only a thread may read one of them.
    """
    home = home_directory() if home is None else home
    rules: list[Rule] = []
    mistakes: list[Mistake] = []
    for number, file in enumerate(files(home, system)):
        if skips_user and number == 1:
            continue
        try:
            text = errands.at(os.fsencode(file), partial(_read_file, file))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except NotBelieved as reason:
            mistakes.append(Mistake(str(reason), Origin(file)))
            continue
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            reason_given = error.strerror or "cannot be read"
            mistakes.append(Mistake(reason_given, Origin(file)))
            continue
        for item in parse(text, os.fsencode(home), file):
            if isinstance(item, Mistake):
                mistakes.append(item)
            else:
                rules.append(item)
    return Configuration(tuple(rules), tuple(mistakes), skips_user)


def _read_file(file: str) -> bytes:
    """The content. Raises OSError; and NotBelieved for a pipe or a device, which would
    block or never end, for a huge file, and for a file that others control."""
    with opened(os.fsencode(file)) as stream:
        _check(os.fstat(stream.fileno()), os.getuid(), os.getgid())
        text = stream.read(MAX_SIZE + 1)
    if len(text) > MAX_SIZE:
        raise NotBelieved(f"larger than {MAX_SIZE} bytes")
    return text


def _check(status: os.stat_result, uid: int, gid: int) -> None:
    """Raises NotBelieved unless only root and the user `uid` decide what is in it.

    `HOME` may name the directory of somebody else, as under sudo; "fsset ext4 none" in
    a foreign file would leave root without a single event. The group may write where
    it is the user's own, which is usual where each user has a group.
    """
    if not stat.S_ISREG(status.st_mode):
        raise NotBelieved("not a regular file")
    if status.st_uid not in (0, uid):
        raise NotBelieved(
            f"not followed: it belongs to uid {status.st_uid}, not to {uid} or root"
        )
    group_decides = status.st_mode & stat.S_IWGRP and status.st_gid not in (0, gid)
    if group_decides or status.st_mode & stat.S_IWOTH:
        raise NotBelieved("not followed: other users may write it (chmod go-w)")


def read_mounts() -> Mounts:
    """The mounts that this process sees; none where the system does not list them."""
    try:
        return mounts_from(mountinfo.read())
    except OSError:
        return Mounts()


def mounts_from(text: bytes) -> Mounts:
    """The mounts that the text of mountinfo lists."""
    return Mounts(parse_mounts(text))
