"""Paths as a program spelled them, for libraries that report them so.

The service reports absolute paths without dots. watchfiles and watchdog report the
path that was watched, as it was given, followed by the names below it.
"""

import os
from collections.abc import Iterable

from gamin.client.arguments import absolute


class Spelling:
    """Maps the service's paths to those of the program, for any number of roots.

    >>> Spelling([("./src", "./src")], "/home/me").of("/home/me/src/a.py")
    './src/a.py'
    """

    def __init__(
        self, roots: Iterable[tuple[str, str]], directory: str | None = None
    ) -> None:
        """`roots`: the watched path, and how it is to be spelled in reports.

        `directory` is what relative paths start from: by default the current one.
        """
        found = [
            (absolute(path if directory is None else f"{directory}/{path}"), spelled)
            for path, spelled in roots
        ]
        # Of two roots of which one is below the other, the inner one spells.
        found.sort(key=lambda pair: len(pair[0]), reverse=True)
        self._roots = [
            (root, root.rstrip("/") + "/", spelled, _with_slash(spelled))
            for root, spelled in found
        ]

    def of(self, path: str) -> str:
        """The path as the program would spell it."""
        for root, prefix, spelled, spelled_prefix in self._roots:
            if path.startswith(prefix):
                return spelled_prefix + path[len(prefix) :]
            if path == root:
                return spelled
        return path


def _with_slash(spelled: str) -> str:
    """As os.path.join does before it appends a name."""
    return spelled if not spelled or spelled.endswith("/") else spelled + os.sep
