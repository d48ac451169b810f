"""Puts the command `watchman` into a directory, and takes it away again.

Only on request: some programs prefer a `watchman` on the PATH to what they used before.
"""

import os
import shlex
import sys

from gamin.paths import printable

MARK = "# The command watchman of gamin; `gamin watchman uninstall` removes it."
"""The line by which our own file is known."""

_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The directory that has the package."""

PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from gamin.cli.main import main; sys.exit(main())"
)
"""For an isolated Python (-I), which does not look for packages where `pip install
--user` puts them; their directory is the first argument."""


def command_words(*words: str) -> list[str]:
    """How to run `gamin` with these words, whatever the environment is."""
    return [sys.executable, "-I", "-c", PROGRAM, _PACKAGES, *words]


def install(directory: str) -> int:
    """Make the file. Somebody's own `watchman` there stays."""
    path = os.path.join(directory, "watchman")
    if os.path.lexists(path) and not _is_ours(path):
        print(f"gamin: {path!r} is not ours: left as it is", file=sys.stderr)
        return 1
    text = f'#!/bin/sh\n{MARK}\nexec {shlex.join(command_words("watchman"))} "$@"\n'
    new = f"{path}.{os.getpid()}"
    try:
        # At no moment there is half a program under the name.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
        with os.fdopen(descriptor, "w", errors="surrogateescape") as file:
            file.write(text)
        os.replace(new, path)
    except OSError as error:
        print(f"gamin: cannot write {path!r}: {error.strerror}", file=sys.stderr)
        return 1
    print(printable(path))
    return 0


def uninstall(directory: str) -> int:
    path = os.path.join(directory, "watchman")
    if not os.path.lexists(path):
        return 0
    if not _is_ours(path):
        print(f"gamin: {path!r} is not ours: left as it is", file=sys.stderr)
        return 1
    os.remove(path)
    return 0


def _is_ours(path: str) -> bool:
    try:
        if os.path.islink(path):
            return False
        with open(path, errors="surrogateescape") as file:
            return MARK in file.read(4096)
    except OSError:
        return False
