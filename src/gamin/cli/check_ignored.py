"""Checks of `gamin doctor`: watches in directories that git ignores.

Such a directory (node_modules, a build) often holds most directories of a tree. Whose
watches are in it is known from /proc, by device and inode, so this finds those of any
program. The repositories are those of the trees that the server watches, and those in
which the holders of watches and this process were started.
"""

import os
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import NamedTuple

from gamin.cli.finding import Finding, note
from gamin.system.inotify_usage import Holder, Inode, inode_of, watched_by
from gamin.system.proc import directory_of

SECONDS = 0.4
"""How long the check may take; then what it has found is reported, and that it was not
finished."""

FEW = 10
"""Watches in an ignored directory that are not worth a word."""

MAX_WATCHES = 200_000
"""Watches that are read: the kernel lists a million in a second."""

MAX_REPOSITORIES = 20
"""Repositories that are looked at."""

MAX_CANDIDATES = 2_000
"""Directories, in the top of a repository and one level below, that git is asked
about."""

MAX_VISITED = 20_000
"""Directories within ignored ones that are compared with the watches."""


class Ignored(NamedTuple):
    """An ignored directory in which a process holds watches."""

    path: str
    holder: Holder
    watches: int


def check_ignored(
    held: Sequence[Holder],
    roots: Iterable[str],
    server: int | None,
    seconds: float = SECONDS,
) -> Iterator[Finding]:
    """`roots`: trees that are watched; `server`: the process of our server."""
    found: list[Ignored] = []
    # A thread, because a directory may be on a mount that does not answer.
    search = threading.Thread(
        target=_search, args=(held, roots, seconds, found), daemon=True
    )
    search.start()
    search.join(seconds)
    is_unfinished = search.is_alive()
    for path, holder, watches in found[:]:
        yield note(
            "ignored directories",
            f"{watches} watches of process {holder.pid} ({holder.program}) are in "
            f"{path}, which git ignores",
            "they count against the limit, and wake the program for nothing",
            _REMEDY_OF_SERVER if holder.pid == server else _REMEDY_OF_OTHERS,
        )
    if is_unfinished:
        yield note(
            "ignored directories",
            f"not all were checked within {seconds:g} s",
            "there may be more watches in directories that git ignores",
        )


_REMEDY_OF_SERVER = (
    "gamin watch -r and gamin.watch leave it out unless a client asks for everything; "
    'for clients of Watchman: "ignore_dirs" in .watchmanconfig'
)
_REMEDY_OF_OTHERS = (
    "exclude it in the settings of that program, or start the program with gamin exec"
)


def _search(
    held: Sequence[Holder],
    roots: Iterable[str],
    seconds: float,
    found: list[Ignored],
) -> None:
    inodes = list(_inodes(held))
    # Not `os.getcwd`, which raises where the directory has been removed.
    pids = [*(holder.pid for holder in held), os.getpid()]
    places = [*roots, *map(directory_of, pids)]
    for top in list(_repositories(places))[:MAX_REPOSITORIES]:
        for path in ignored_directories(top, seconds):
            inside = set(_inside(path))
            for holder, watched in inodes:
                watches = len(inside & watched)
                if watches > FEW:
                    found.append(Ignored(path, holder, watches))


def _inodes(held: Sequence[Holder]) -> Iterator[tuple[Holder, AbstractSet[Inode]]]:
    total = 0
    for holder in held:
        total += holder.watches
        if total <= MAX_WATCHES:
            yield holder, watched_by(holder.pid)


def _repositories(places: Iterable[str]) -> Iterator[str]:
    """The tops of the repositories that the places lie in, each once."""
    seen = set()
    for place in places:
        while place not in seen and place.startswith("/"):
            seen.add(place)
            if os.path.lexists(os.path.join(place, ".git")):
                yield place
                break
            place = os.path.dirname(place)


def ignored_directories(top: str, seconds: float = SECONDS) -> list[str]:
    """Directories in the top of a repository, or one level below, that git ignores."""
    candidates: list[str] = []
    for directory in _subdirectories(top):
        candidates.append(directory)
        candidates += _subdirectories(directory)
        if len(candidates) > MAX_CANDIDATES:
            break
    if not candidates:
        return []
    names = b"\0".join(os.fsencode(path) + b"/" for path in candidates)
    # No monitor, because that may be our server, which is not to be started.
    command = ["git", "-c", "core.fsmonitor=false", "-C", top]
    command += ["check-ignore", "-z", "--stdin"]
    try:
        done = subprocess.run(
            command, input=names, capture_output=True, check=False, timeout=seconds
        )
    except (OSError, subprocess.TimeoutExpired):
        return []  # without git nothing is known to be ignored
    ignored = [os.fsdecode(name.rstrip(b"/")) for name in done.stdout.split(b"\0")[:-1]]
    known = set(ignored)
    return [path for path in ignored if os.path.dirname(path) not in known]


def _inside(path: str) -> Iterator[Inode]:
    """The directories from this one on, the nearest first."""
    waiting = deque([path])
    visited = 0
    while waiting and visited < MAX_VISITED:
        visited += 1
        directory = waiting.popleft()
        with suppress(OSError):
            yield inode_of(os.stat(directory, follow_symlinks=False))
            waiting += _subdirectories(directory)


def _subdirectories(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [
                entry.path
                for entry in entries
                if entry.name != ".git" and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
