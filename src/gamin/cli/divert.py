"""Replaces the distribution's server, which libgamin starts, by this one.

libgamin has the path of the server built in. dpkg-divert(1) moves the original file
aside and remembers it, so that an upgrade of the package `gamin` writes to the new name
and leaves ours alone. An upgrade of this package changes nothing there either: the file
that is put in place only names an interpreter and a module's file.
"""

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

from gamin.client.launch import server_command
from gamin.errors import GaminError

SERVERS = (
    "/usr/libexec/gam_server",
    "/usr/lib/gamin/gam_server",
    "/usr/lib/libgamin0/gam_server",
)
"""Where packages of libgamin have put the original server (Debian's since 2018: the
first)."""

SUFFIX = ".original"
MARK = "# Started by libgamin in place of the original server; see `gamin service`."

WITHOUT_DPKG = (
    "dpkg-divert is not installed. Where it is missing, libgamin can be given another "
    "server by the environment: GAMIN_DEBUG_SERVER=/path/of/gam_server in "
    "/etc/environment"
)


class DivertFailed(GaminError):
    """What was asked for cannot be done, or would be unsafe."""


def divert(*, is_dry: bool, root: str = "", command: list[str] | None = None) -> int:
    """Make libgamin start our server for every user. Raises DivertFailed.

    `root` is put before the paths of the system.
    """
    words = [*server_command({})] if command is None else command
    if shutil.which("dpkg-divert") is None:
        raise DivertFailed(WITHOUT_DPKG)
    place = _original(root)
    steps = f"move {place} to {place}{SUFFIX} (dpkg-divert), and put ours there"
    if _is_ours(place):
        print(f"{place}: ours already")
        return 0
    _require_safe(words)
    print(steps)
    if is_dry:
        return 0
    _require_root(root)
    _dpkg_divert(root, "--add", place)
    try:
        _put(place, words)
    except OSError as error:
        _dpkg_divert(root, "--remove", place)
        raise DivertFailed(f"{place}: {error.strerror}; nothing is changed") from error
    print(
        "done: servers that run already stay until they end; "
        "`gamin service undivert` undoes it"
    )
    return 0


def undivert(*, is_dry: bool, root: str = "") -> int:
    """Put the original server back. Raises DivertFailed, with ours in its place as
    before; and may be called again after it was interrupted."""
    place = _original(root)
    if place.exists() and not _is_ours(place):
        print(f"{place}: not ours, nothing to undo")
        return 0
    print(f"remove ours, and move {place}{SUFFIX} back to {place} (dpkg-divert)")
    if is_dry:
        return 0
    _require_root(root)
    aside = place.with_name(f".{place.name}.diverted")
    if place.exists():
        place.rename(aside)
    try:
        _dpkg_divert(root, "--remove", place)
    except DivertFailed:
        aside.rename(place)
        raise
    aside.unlink(missing_ok=True)
    return 0


def _original(root: str) -> Path:
    for path in SERVERS:
        place = Path(root + path)
        if place.exists() or Path(f"{place}{SUFFIX}").exists():
            return place
    raise DivertFailed(
        "the original gam_server is not installed, so nothing starts it "
        "(Debian's package: gamin)"
    )


def _is_ours(place: Path) -> bool:
    try:
        return MARK in place.read_text(errors="replace")
    except OSError:
        return False


def _put(place: Path, words: list[str]) -> None:
    """At no moment there is half a program under the name."""
    new = place.with_name(f".{place.name}.{os.getpid()}")
    new.write_text(f'#!/bin/sh\n{MARK}\nexec {shlex.join(words)} "$@"\n')
    new.chmod(0o755)
    new.replace(place)


def _require_root(root: str) -> None:
    if os.geteuid() != 0 and not root:
        raise DivertFailed("only root may do that (sudo gamin service …)")


def _require_safe(words: list[str]) -> None:
    """Only root may decide what all users run, and all of them must be able to."""
    for word in words:
        if not word.startswith("/"):
            continue
        path = Path(os.path.realpath(word))
        for each in (path, *path.parents):
            mode = each.stat()
            others_write = mode.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if mode.st_uid != 0 or (others_write and not mode.st_mode & stat.S_ISVTX):
                raise DivertFailed(
                    f"{each} can be changed by users other than root, and every user "
                    "would run what is there: install gamin for the whole system"
                )
            if not mode.st_mode & stat.S_IXOTH and each.is_dir():
                raise DivertFailed(
                    f"{each} cannot be entered by other users, so they could not "
                    "start the server: install gamin for the whole system"
                )


def _dpkg_divert(root: str, action: str, place: Path) -> None:
    path = str(place)[len(root) :]
    where = ["--root", root] if root else []
    options = ["--local", "--rename", "--divert", path + SUFFIX]
    done = subprocess.run(
        ["dpkg-divert", *where, *options, action, path],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DivertFailed(f"dpkg-divert: {done.stderr.strip()}")
