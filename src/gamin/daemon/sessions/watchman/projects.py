"""Finds the root of a project, by Watchman's rule with its default settings."""

import os
from collections.abc import Iterable
from functools import partial

from gamin.paths import is_within, parent
from gamin.protocol.watchman.errors import BadRequest, UnresolvedRoot
from gamin.protocol.watchman.names import to_text
from gamin.protocol.watchman.root_config import (
    MAX_SIZE,
    NAME,
    RootConfig,
    parse_config,
)
from gamin.system import errands
from gamin.system.small_file import opened

ROOT_FILES = (b".watchmanconfig", b".hg", b".git", b".svn")
"""Names that mark a project. Their order counts more than their distance: a far
.watchmanconfig is preferred to a near .git."""


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


def find_project(path: bytes, watched: Iterable[bytes]) -> bytes:
    """Return the project's root for the real directory `path`: a root that is watched
    already and contains it, else the nearest directory with a root file, else `path`.

    Raises UnresolvedRoot if the project forbids to be watched.
    """
    for root in watched:
        if is_within(path, root):
            return root
    return errands.at(path, partial(_marked, path))


def _marked(path: bytes) -> bytes:
    """By the root files."""
    for name in ROOT_FILES:
        for directory in _upwards(path):
            if os.path.lexists(directory.rstrip(b"/") + b"/" + name):
                if os.path.lexists(directory + b"/.nowatchman"):
                    raise UnresolvedRoot(to_text(path), ".nowatchman is present")
                return directory if parent(directory) != directory else path
    return path


def read_config(path: bytes) -> RootConfig:
    """What the root's own file says. Raises UnresolvedRoot."""
    name = path.rstrip(b"/") + b"/" + NAME
    try:
        text = errands.at(name, partial(_read, name))
    except FileNotFoundError:
        return RootConfig()
    except OSError as error:
        why = f"failed to open {to_text(name)}: {error.strerror}"
        raise UnresolvedRoot(to_text(path), why) from None
    try:
        return parse_config(text or b"{}", to_text(name))
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
