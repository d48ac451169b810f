"""The directory that keeps what belongs to one of Watchman's servers: `USER-state`.

`--test-state-dir` names the directory that it is in. Whoever may write there could take
the place of the server, so its owner and its mode are checked. Watchman's global
configuration says who else may reach the socket in it (`sock_group`, `sock_access`).
That is a matter of groups and modes alone: the server serves its user and nobody else.
"""

import grp
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from gamin.cli.watchman_configuration import global_options
from gamin.cli.watchman_service import StateDirectoryRefused
from gamin.protocol.watchman.errors import BadRequest
from gamin.system.address import user_name

BACKLOG = 1024
"""Connections that wait to be accepted; the kernel limits this, too."""


class Group(NamedTuple):
    number: int
    name: str


class SocketAccess(NamedTuple):
    """Who may reach the socket, besides its user."""

    group: Group | None = None
    """Of the directory; None for that of the process."""
    socket_group: Group | None = None
    """The one that the socket must have; None for any."""
    is_for_group: bool = False
    is_for_others: bool = False

    @property
    def directory_mode(self) -> int:
        """With S_ISGID: what is made in the directory has its group."""
        mode = stat.S_ISGID | 0o700
        return mode | 0o050 * self.is_for_group | 0o005 * self.is_for_others

    @property
    def socket_mode(self) -> int:
        return 0o600 | 0o060 * self.is_for_group | 0o006 * self.is_for_others


class StatePaths(NamedTuple):
    """Where a server keeps what."""

    directory: str
    sockname: str
    logfile: str
    pidfile: str
    statefile: str


def state_paths(parent: str, environ: Mapping[str, str]) -> StatePaths:
    """Those in the directory of the user below `parent`."""
    user = environ.get("USER") or environ.get("LOGNAME")
    user = user or os.fsdecode(user_name(os.getuid()))
    directory = os.path.join(os.path.abspath(parent), f"{user}-state")
    names = ("sock", "log", "pid", "state")
    return StatePaths(directory, *(os.path.join(directory, name) for name in names))


def read_access(environ: Mapping[str, str]) -> SocketAccess:
    """What the configuration says. Raises BadRequest if it makes no sense, and
    StateDirectoryRefused for a group that does not exist."""
    options = global_options(environ)
    group = _group(options, "sock_group")
    access = options.get("sock_access", {})
    if not isinstance(access, dict):
        raise BadRequest("Expected config value sock_access to be an object")
    for member in ("group", "others"):
        if not isinstance(access.get(member, False), bool):
            raise BadRequest(
                f"Expected config value sock_access.{member} to be a boolean"
            )
    return SocketAccess(
        group,
        # Watchman's own tests set this one, to have the check below fail.
        _group(options, "__sock_file_group") or group,
        access.get("group", False),
        access.get("others", False),
    )


def _group(options: Mapping[str, Any], key: str) -> Group | None:
    name = options.get(key)
    if name is None:
        return None
    if not isinstance(name, str):
        raise BadRequest(f"Expected config value {key} to be a string")
    try:
        return Group(grp.getgrnam(name).gr_gid, name)
    except (KeyError, ValueError):
        raise StateDirectoryRefused(f"group '{name}' does not exist") from None


@contextmanager
def prepared(directory: str, access: SocketAccess) -> Iterator[int]:
    """Make the directory unless it exists, check it, and give it the wanted group and
    mode. A symlink to it is followed, as in Watchman. Yields a descriptor of it.

    Raises StateDirectoryRefused.
    """
    try:
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StateDirectoryRefused(f"{directory}: {error.strerror}") from None
    try:
        _check(directory, os.fstat(descriptor))
        if access.group is not None:
            _set_group(descriptor, access.group)
        os.fchmod(descriptor, access.directory_mode)
        yield descriptor
    except OSError as error:
        raise StateDirectoryRefused(f"{directory}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _check(directory: str, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise StateDirectoryRefused(
            f"the owner of {directory} is uid {status.st_uid} and doesn't match your "
            f"euid {os.geteuid()}"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StateDirectoryRefused(
            f"the permissions on {directory} allow others to write to it. Verify that "
            "you own the contents and then fix its permissions by running "
            f"`chmod 0700 '{directory}'`"
        )


def _set_group(directory: int, group: Group) -> None:
    try:
        os.fchown(directory, -1, group.number)
    except OSError as error:
        raise StateDirectoryRefused(
            f"setting up group '{group.name}' failed: {error.strerror}"
        ) from None


def listen(paths: StatePaths, access: SocketAccess) -> socket.socket:
    """Listen in the directory, in place of a server that is dead: the caller holds the
    lock of its pidfile. Raises StateDirectoryRefused."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        with prepared(paths.directory, access) as directory:
            _bind(listening, paths.sockname, directory, access)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def _bind(
    listening: socket.socket, path: str, directory: int, access: SocketAccess
) -> None:
    name = os.path.basename(path)
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
    before = os.umask(0o177)
    try:
        listening.bind(path)
    except OSError as error:
        why = error.strerror or str(error)  # the path is too long
        raise StateDirectoryRefused(f"bind({path}): {why}") from None
    finally:
        os.umask(before)
    # A symlink to the directory may lead elsewhere by now: then nothing is here.
    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    group = access.socket_group
    if group is not None and found.st_gid != group.number:
        # The directory is from a time when the user was in the group.
        raise StateDirectoryRefused(
            f"for socket '{path}', gid {found.st_gid} doesn't match expected gid "
            f"{group.number} (group name {group.name}). Ensure that you are still a "
            f"member of group {group.name}."
        )
    os.chmod(name, access.socket_mode, dir_fd=directory)
