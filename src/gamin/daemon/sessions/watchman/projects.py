"""Finds the root of a project by Watchman's rules, and says what may be a root."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from gamin.paths import is_within, join, parent
from gamin.protocol.watchman.config_file import MAX_SIZE
from gamin.protocol.watchman.errors import BadRequest, UnresolvedRoot
from gamin.protocol.watchman.global_config import GlobalConfig, parse_global_config
from gamin.protocol.watchman.names import to_text
from gamin.protocol.watchman.root_config import NAME, RootConfig, parse_config
from gamin.system import errands
from gamin.system.small_file import opened

DEFAULT = GlobalConfig()


def real_path(path: bytes) -> bytes:
    """The path without symlinks, as far as it exists."""
    real: bytes = errands.at(path, partial(os.path.realpath, path))
    return real


def root_directory(path: bytes) -> bytes:
    """The real path of a directory that can be a root. Raises UnresolvedRoot."""
    try:
        real, is_directory = errands.at(path, partial(_resolved, path))
    except OSError as error:
        name, why = to_text(path), error.strerror or "not found"
        raise UnresolvedRoot(name, f"realpath({name}) -> {why}") from None
    if not is_directory:
        name = to_text(path)
        raise UnresolvedRoot(name, f"opendir({name}): Not a directory")
    if parent(real) == real:
        raise UnresolvedRoot(to_text(path), 'cannot watch "/"')
    return real


def _resolved(path: bytes) -> tuple[bytes, bool]:
    os.stat(path)  # the kernel follows few links; realpath follows any number
    real = os.path.realpath(path, strict=True)
    return real, os.path.isdir(real)


def find_project(
    path: bytes, watched: Iterable[bytes], config: GlobalConfig = DEFAULT
) -> bytes:
    """Return the project's root for the real directory `path`: a root that is watched
    already and contains it, else the nearest directory with a root file, else `path`.

    Raises UnresolvedRoot if the project, or the configuration, forbids to be watched.
    """
    for root in watched:
        if is_within(path, root):
            return root
    return errands.at(path, partial(_marked, path, config))


def project_of(
    path: bytes, watched: Iterable[bytes], config: GlobalConfig = DEFAULT
) -> bytes | None:
    """The project that something at a path, whose directory is free of symlinks, is in;
    None if it is in none, or in one that is watched already. Raises UnresolvedRoot."""
    if any(is_within(path, root) for root in watched):
        return None
    return errands.at(path, partial(_marked_directory, path, config))


MAX_LINKS = 40
"""Symlinks that are followed one after the other, as the kernel does."""


def link_targets(link: bytes) -> list[bytes]:
    """Where a symlink leads, and where each further one leads that is found there. The
    directories of these paths are free of symlinks."""
    found: list[bytes] = []
    while len(found) < MAX_LINKS:
        step = errands.at(link, partial(_followed, link))
        if step is None:
            break
        link = step
        found.append(link)
    return found


def _followed(link: bytes) -> bytes | None:
    """Where the symlink leads; None if it is none."""
    directory, name = os.path.split(link)
    place = join(os.path.realpath(directory), name)
    try:
        target = os.path.join(os.path.dirname(place), os.readlink(place))
    except OSError:
        return None
    directory, name = os.path.split(target.rstrip(b"/"))
    return os.path.normpath(join(os.path.realpath(directory), name))


def _marked(path: bytes, config: GlobalConfig) -> bytes:
    """By the root files."""
    directory = _marked_directory(path, config)
    if directory is not None:
        return directory if parent(directory) != directory else path
    if config.enforce_root_files:
        place = to_text(path)
        raise UnresolvedRoot(
            place,
            "resolve_projpath:  None of the files listed in global config root_files "
            f"are present in path `{place}` or any of its parent directories.  "
            f"{_explained(config)} {_ADVICE}",
        )
    return path


def _marked_directory(path: bytes, config: GlobalConfig) -> bytes | None:
    """The nearest directory with the first root file that is found anywhere."""
    for name in config.root_files:
        for directory in _upwards(path):
            if os.path.lexists(directory.rstrip(b"/") + b"/" + name):
                if os.path.lexists(directory + b"/.nowatchman"):
                    raise UnresolvedRoot(to_text(path), ".nowatchman is present")
                return directory
    return None


_ADVICE = "Try pulling and checking out a newer version of the project?"


def _explained(config: GlobalConfig) -> str:
    return (
        f"root_files is defined by the `{config.path}` config file and includes "
        f"{config.named_root_files}.  One or more of these files must be present in "
        "order to allow a watch."
    )


def check_root(path: bytes, config: GlobalConfig, file_system: str) -> None:
    """Raises UnresolvedRoot if the configuration forbids the real directory `path`,
    which is on a file system of that type, to be watched."""
    name = to_text(path)
    if not config.illegal_fstypes.isdisjoint(_names_of(file_system)):
        raise UnresolvedRoot(
            name,
            f'path uses the "{file_system}" filesystem and is disallowed by global '
            f"config illegal_fstypes: {config.illegal_fstypes_advice}",
        )
    if config.enforce_root_files and not errands.at(
        path, partial(_has_root_file, path, config)
    ):
        raise UnresolvedRoot(
            name,
            "Your watchman administrator has configured watchman to prevent watching "
            f"path `{name}`.  None of the files listed in global config root_files are "
            f"present and enforce_root_files is set to true.  {_explained(config)}  "
            f"{_ADVICE}",
        )


_NAMED_FILE_SYSTEMS = frozenset(
    (
        *("btrfs", "cifs", "edenfs", "ext2", "ext3", "ext4", "fuse", "msdos", "nfs"),
        *("smb", "tmpfs", "xfs", "zfs"),
    )
)
"""Types that Watchman has names for; all others are "unknown" to it."""
_OTHER_NAMES = {
    **{"fuseblk": "fuse", "nfs4": "nfs", "smb2": "smb", "smb3": "smb"},
    "vfat": "msdos",
}
"""The names of types of Linux in Watchman, where these are others."""


def _names_of(file_system: str) -> set[str]:
    """What a configuration may call a type of file systems."""
    base = file_system.partition(".")[0]  # "fuse.sshfs" is "fuse"
    base = _OTHER_NAMES.get(base, base)
    if base not in _NAMED_FILE_SYSTEMS:
        return {file_system, base, "unknown"}
    return {file_system, base}


def _has_root_file(path: bytes, config: GlobalConfig) -> bool:
    return any(os.path.lexists(join(path, name)) for name in config.root_files)


def read_global_config(paths: Sequence[str]) -> GlobalConfig:
    """What Watchman's global configuration says; the later files count more. Raises
    BadRequest for one that cannot be read, or makes no sense."""
    texts: list[tuple[str, bytes]] = []
    for path in paths:
        name = os.fsencode(path)
        try:
            texts.append((path, errands.at(name, partial(_read, name))))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise BadRequest(f"failed to open {path}: {error.strerror}") from None
    return parse_global_config(texts)


def read_config(path: bytes, defaults: Mapping[str, Any] = {}) -> RootConfig:
    """What the root's own file says, and what holds where it says nothing. Raises
    UnresolvedRoot."""
    name = path.rstrip(b"/") + b"/" + NAME
    try:
        text = errands.at(name, partial(_read, name))
    except FileNotFoundError:
        text = b""
    except OSError as error:
        why = f"failed to open {to_text(name)}: {error.strerror}"
        raise UnresolvedRoot(to_text(path), why) from None
    try:
        return parse_config(text or b"{}", to_text(name), defaults)
    except BadRequest as error:
        raise UnresolvedRoot(to_text(path), str(error)) from None


def _read(name: bytes) -> bytes:
    with opened(name) as file:
        return file.read(MAX_SIZE)


def _upwards(path: bytes) -> Iterable[bytes]:
    yield path
    while parent(path) != path:
        path = parent(path)
        yield path
