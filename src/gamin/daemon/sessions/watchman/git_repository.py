"""The git repository that holds a directory, and the exclude files it follows.

Read as data: no program is called, and nothing that a configuration names is executed.
A configuration is believed only where git's own rules would have the user trust it: it
belongs to the user or to root, and nobody else may write it. What is not believed
counts as absent.

Sources: gitrepository-layout(5), git-config(1), gitignore(5), git-worktree(1).
"""

import logging
import os
import stat
from functools import partial
from typing import NamedTuple

from gamin.config.git_config import (
    GitSetting,
    InvalidGitConfig,
    Place,
    expand,
    is_included,
    parse,
)
from gamin.paths import join, parent, printable
from gamin.system import errands
from gamin.system.small_file import opened

logger: logging.Logger = logging.getLogger(__name__)

MAX_CONFIG_BYTES = 1 << 20
"""A configuration beyond this counts as absent; no file written by hand comes near."""
MAX_INCLUDE_DEPTH = 10
"""Levels of includes that are followed, as in git (config.c, MAX_INCLUDE_DEPTH)."""
MAX_FILES = 64
"""Configuration files read for one repository, includes counted."""
SYSTEM_CONFIG = b"/etc/gitconfig"


class Repository(NamedTuple):
    """Where a repository keeps what; all paths are absolute."""

    top: bytes
    """The directory that holds `.git`."""
    git_dir: bytes
    """The worktree's own directory, which holds HEAD."""
    common_dir: bytes
    """The directory that all worktrees share, which holds `config` and `info`."""


class Excludes(NamedTuple):
    """The two exclude files of a repository, and the files that say which they are."""

    repository: bytes
    """The path of `info/exclude`."""
    user: bytes
    """The path of `core.excludesFile`; empty where there is none."""
    sources: tuple[bytes, ...]
    """Every configuration file that was read or looked for: a change of one may name
    another exclude file."""


def repository_at(directory: bytes) -> Repository | None:
    """The repository whose top the directory is; None if it is none.

    Costs one failing system call for a directory without `.git`.
    """
    dot_git = join(directory, b".git")
    try:
        status = errands.at(dot_git, partial(os.stat, dot_git))
    except OSError:
        return None
    git_dir = dot_git
    if stat.S_ISREG(status.st_mode):
        pointer = _read(dot_git, 4096 + 16)
        if pointer is None or not pointer.startswith(b"gitdir: "):
            return None
        git_dir = _resolved(pointer[len(b"gitdir: ") :].rstrip(b"\r\n"), directory)
    common = _read(join(git_dir, b"commondir"), 4096)
    common_dir = git_dir if common is None else _resolved(common.strip(), git_dir)
    # A directory that is merely called .git is none. git also wants `objects`, which
    # `git init` makes last; HEAD is the file whose coming we can wait for.
    head = join(git_dir, b"HEAD")
    if not errands.at(head, partial(os.path.lexists, head), follows=False):
        return None
    return Repository(directory, git_dir, common_dir)


def repository_of(directory: bytes) -> Repository | None:
    """The innermost repository that holds the directory, on the same file system."""
    try:
        device = _device(directory)
        while _device(directory) == device:
            found = repository_at(directory)
            if found is not None or directory == b"/":
                return found
            directory = parent(directory)
    except OSError:
        pass
    return None


def _device(directory: bytes) -> int:
    return errands.at(directory, partial(os.stat, directory)).st_dev


def excludes_of(repository: Repository, home: bytes, xdg: bytes = b"") -> Excludes:
    """The exclude files that hold in the repository.

    `home` is the user's home directory; `xdg` is $XDG_CONFIG_HOME, empty for the
    default, `home`/.config.
    """
    xdg = xdg or join(home, b".config")
    reader = _ConfigReader(_place(repository, home), repository.top)
    reader.read(SYSTEM_CONFIG)
    reader.read(join(xdg, b"git/config"))
    reader.read(join(home, b".gitconfig"))
    reader.read(join(repository.common_dir, b"config"))
    if reader.has_worktree_config:
        reader.read(join(repository.git_dir, b"config.worktree"))
    user = reader.excludes_file
    return Excludes(
        join(repository.common_dir, b"info/exclude"),
        join(xdg, b"git/ignore") if user is None else user,
        tuple(reader.files),
    )


def read_excludes(path: bytes, limit: int) -> bytes | None:
    """The text of an exclude file, `limit` + 1 bytes of it at most; None without one.

    Symlinks are followed, as git does for the files that are not in the worktree.
    """
    return _read(path, limit + 1) if path else None


class _ConfigReader:
    """Reads configuration files in git's order; the last setting counts."""

    def __init__(self, place: Place, top: bytes) -> None:
        self._place = place
        self._top = top
        self.files: dict[bytes, None] = {}
        self.excludes_file: bytes | None = None
        self.has_worktree_config = False

    def read(self, path: bytes, depth: int = 0) -> None:
        if depth > MAX_INCLUDE_DEPTH or len(self.files) >= MAX_FILES:
            logger.warning("git configuration %s not read: too many", printable(path))
            return
        self.files[path] = None
        text = _trusted_text(path)
        if text is None:
            return
        try:
            settings = list(parse(text))
        except InvalidGitConfig as error:
            logger.warning("git configuration %s not read: %s", printable(path), error)
            return
        for setting in settings:
            self._apply(setting, parent(path), depth)

    def _apply(self, setting: GitSetting, directory: bytes, depth: int) -> None:
        section, subsection, name, value = setting
        if section == b"core" and subsection is None and name == b"excludesfile":
            # A relative one is looked for from where git works: the top.
            path = expand(value, self._place.home, self._top) if value else b""
            self.excludes_file = path
        elif section == b"extensions" and name == b"worktreeconfig":
            self.has_worktree_config = value is None or value.lower() in _TRUE
        elif (
            name == b"path"
            and value
            and self._is_include(section, subsection, directory)
        ):
            included = expand(value, self._place.home, directory)
            if included:
                self.read(included, depth + 1)

    def _is_include(
        self, section: bytes, condition: bytes | None, directory: bytes
    ) -> bool:
        if section == b"include":
            return condition is None
        return (
            section == b"includeif"
            and condition is not None
            and is_included(condition, directory, self._place)
        )


_TRUE = (b"true", b"yes", b"on", b"1")


def _place(repository: Repository, home: bytes) -> Place:
    git_dir = repository.git_dir
    head = _read(join(git_dir, b"HEAD"), 4096) or b""
    prefix = b"ref: refs/heads/"
    branch = head.strip()[len(prefix) :] if head.startswith(prefix) else None
    real = errands.at(git_dir, partial(os.path.realpath, git_dir))
    return Place((git_dir, real), branch, home)


def _resolved(path: bytes, directory: bytes) -> bytes:
    return os.path.normpath(os.path.join(directory, path))


def _trusted_text(path: bytes) -> bytes | None:
    """The text of a configuration file that nobody else could have written."""
    text = _read(path, MAX_CONFIG_BYTES + 1, is_trusted=True)
    if text is not None and len(text) > MAX_CONFIG_BYTES:
        logger.warning("git configuration %s not read: too large", printable(path))
        return None
    return text


def _read(path: bytes, size: int, *, is_trusted: bool = False) -> bytes | None:
    """The first `size` bytes of a regular file; None where there is none to read."""
    try:
        return errands.at(path, partial(_read_regular, path, size, is_trusted))
    except OSError:  # its mount does not answer
        return None


def _read_regular(path: bytes, size: int, is_trusted: bool) -> bytes | None:
    try:
        with opened(path) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            if is_trusted and not _is_ours(status):
                logger.warning(
                    "git configuration %s not believed: uid %d, mode %o",
                    printable(path),
                    status.st_uid,
                    stat.S_IMODE(status.st_mode),
                )
                return None
            return file.read(size)
    except (OSError, ValueError):
        return None


def _is_ours(status: os.stat_result) -> bool:
    # A group of one's own may write: umask 002 is usual where each user has a group.
    is_others = status.st_mode & stat.S_IWOTH or (
        status.st_mode & stat.S_IWGRP and status.st_gid != os.getegid()
    )
    return status.st_uid in (os.geteuid(), 0) and not is_others
