"""Reads Watchman's global configuration, and reports what is wrong with it.

It says which directories may be roots, and what holds in every root whose own
`.watchmanconfig` does not say otherwise.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gamin.protocol.watchman.names import to_bytes, to_text
from gamin.protocol.watchman.root_config import (
    COUNT,
    FLAG,
    NAME,
    ROOT_OPTIONS,
    WITHOUT_EFFECT,
    parse_object,
)

DEFAULT_ROOT_FILES = (b".hg", b".git", b".svn")
DEFAULT_ADVICE = "relocate the dir to an allowed filesystem type"

_OPTIONS: dict[str, tuple[Any, str]] = {
    "root_files": (list[str], "an array of strings"),
    "root_restrict_files": (list[str], "an array of strings"),
    "enforce_root_files": (bool, "a boolean"),
    "illegal_fstypes": (list[str], "an array of strings"),
    "illegal_fstypes_advice": (str, "a string"),
    **ROOT_OPTIONS,
    **WITHOUT_EFFECT,
    # Without an effect, too: they are about threads, sleeps and a log that the server
    # does not have.
    "notify_sleep_ms": COUNT,
    "thread_pool_worker_threads": COUNT,
    "thread_pool_max_items": COUNT,
    "enable-sanity-check": FLAG,
}


class GlobalConfig(msgspec.Struct, frozen=True):
    path: str = ""
    """The file that names `root_files`; for texts."""
    root_files: tuple[bytes, ...] = (NAME, *DEFAULT_ROOT_FILES)
    """Names that mark a project. Their order counts more than their distance: a far
    .watchmanconfig is preferred to a near .git."""
    enforce_root_files: bool = False
    """Nothing is a root but a directory with one of these."""
    illegal_fstypes: frozenset[str] = frozenset()
    """Types of file systems on which there must be no root."""
    illegal_fstypes_advice: str = DEFAULT_ADVICE
    root_options: Mapping[str, Any] = {}
    """Options of `.watchmanconfig` for roots that have none of their own."""

    @property
    def named_root_files(self) -> str:
        """The names as a list in an English sentence."""
        names = [f"`{to_text(name)}`" for name in self.root_files]
        if len(names) == 1:
            return names[0]
        return f"{', '.join(names[:-1])}, and {names[-1]}"


def parse_global_config(texts: Iterable[tuple[str, bytes]]) -> GlobalConfig:
    """Read the files, each as its path and its text; the later ones count more.

    Raises BadRequest for one that makes no sense.
    """
    options: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path, text in texts:
        given = parse_object(text, path, _OPTIONS)
        options |= given
        origins |= dict.fromkeys(given, path)
    # The older name of the list enforces it.
    key = "root_files" if "root_files" in options else "root_restrict_files"
    names = options.get(key)
    is_enforced = options.get("enforce_root_files", False)
    if names is not None:
        is_enforced = is_enforced or key == "root_restrict_files"
    marks = DEFAULT_ROOT_FILES if names is None else tuple(map(to_bytes, names))
    return GlobalConfig(
        path=origins.get(key, origins.get("enforce_root_files", "")),
        root_files=marks if NAME in marks else (NAME, *marks),
        enforce_root_files=is_enforced,
        illegal_fstypes=frozenset(options.get("illegal_fstypes", ())),
        illegal_fstypes_advice=options.get("illegal_fstypes_advice", DEFAULT_ADVICE),
        root_options={name: options[name] for name in ROOT_OPTIONS if name in options},
    )
