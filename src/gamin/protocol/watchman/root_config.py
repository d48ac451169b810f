"""Reads the `.watchmanconfig` of a root, and reports what is wrong with it."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from gamin.protocol.watchman.config_file import read_object
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.names import to_bytes

NAME = b".watchmanconfig"
VCS_DIRECTORIES = (".git", ".svn", ".hg", ".jj")
"""`ignore_vcs` where the file does not say otherwise."""
MAX_SETTLE = 86_400_000
"""Milliseconds."""
DEFAULT_REAP_AGE = 432_000
"""Seconds: five days."""

MAX_HASHES = 1 << 20
"""The most hashes of files that a root may want to be kept."""
DEFAULT_MAX_HASHES = 128 * 1024
"""Hashes that are kept for a root: 30 MB at the most."""
DEFAULT_MAX_WARM = 1024
"""Files that are hashed after a change before a client asks."""

MAX_COUNT = 1 << 40
"""The greatest number of seconds, milliseconds or files that an option may say."""
DEFAULT_GC_AGE, DEFAULT_GC_INTERVAL = 43_200, 86_400
"""Seconds. They hold where a configuration has one of the two options."""

COUNT = (
    Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)],
    f"an integer from 0 to {MAX_COUNT}",
)
FLAG = (bool, "a boolean")

ROOT_OPTIONS: dict[str, tuple[Any, str]] = {
    "ignore_dirs": (list[str], "an array of strings"),
    "ignore_vcs": (list[str], "an array of strings"),
    "settle": (
        Annotated[int, msgspec.Meta(ge=0, le=MAX_SETTLE)],
        f"an integer from 0 to {MAX_SETTLE}",
    ),
    "idle_reap_age_seconds": COUNT,
    "gc_age_seconds": COUNT,
    "gc_interval_seconds": COUNT,
    "content_hash_max_items": (
        Annotated[int, msgspec.Meta(ge=1, le=MAX_HASHES)],
        f"an integer from 1 to {MAX_HASHES}",
    ),
    "content_hash_max_warm_per_settle": (
        Annotated[int, msgspec.Meta(ge=0, le=MAX_HASHES)],
        f"an integer from 0 to {MAX_HASHES}",
    ),
    "content_hash_warming": FLAG,
    "watch_symlinks": FLAG,
    "suppress_recrawl_warnings": FLAG,
    "enforce_unique_subscription_names": FLAG,
    "allow_crawling_other_mounts": FLAG,
}

WITHOUT_EFFECT: dict[str, tuple[Any, str]] = {
    # There are no tables whose size could be guessed.
    "hint_num_dirs": COUNT,
    "hint_num_files_per_dir": COUNT,
    "iothrottle": FLAG,  # Watchman heeds it on macOS
    "subscription_lock_timeout_ms": COUNT,  # nothing is locked
}
"""Options of a root that are checked, so that a mistake is found here as there, and
change nothing."""


class RootConfig(msgspec.Struct, frozen=True):
    given: dict[str, Any] = {}
    """All that the file says, known or not."""
    ignore_dirs: tuple[bytes, ...] = ()
    """Directories, relative to the root, of which nothing is watched or reported."""
    ignore_vcs: tuple[bytes, ...] = tuple(map(str.encode, VCS_DIRECTORIES))
    """Directories of which only the entries are reported, and nothing deeper."""
    settle: float | None = None
    """Seconds without a change before a message; None for the server's default."""
    idle_reap_age_seconds: int = DEFAULT_REAP_AGE
    """Seconds without a request about the root, a subscription or a trigger after which
    it is not watched any more; 0 for never."""
    gc_age_seconds: int = DEFAULT_GC_AGE
    """Clocks from so many seconds ago are answered as fresh, if that is looked at."""
    gc_interval_seconds: int = 0
    """Seconds from one such look to the next; 0: there is none, and clocks stay valid
    as long as the server knows what happened since."""
    allow_crawling_other_mounts: bool = False
    """What is mounted below the root belongs to it."""
    content_hash_max_items: int = DEFAULT_MAX_HASHES
    """Hashes of files (`content.sha1hex`) that are kept."""
    content_hash_warming: bool = False
    """Files are hashed when they change, and not only when a client asks."""
    content_hash_max_warm_per_settle: int = DEFAULT_MAX_WARM
    """At most so many of them after each change."""
    watch_symlinks: bool = False
    """The projects that symlinks in the root lead to are watched, too."""
    suppress_recrawl_warnings: bool = False
    enforce_unique_subscription_names: bool = False
    """A second subscription of a name is an error, and does not replace the first."""


def parse_object(
    text: bytes, path: str, options: Mapping[str, tuple[Any, str]]
) -> dict[str, Any]:
    """The object in the file at `path`, in which these options have their types.
    Raises BadRequest."""
    given = read_object(text, path)
    for name, (kind, expected) in options.items():
        if name in given:
            try:
                msgspec.convert(given[name], kind)
            except msgspec.ValidationError:
                raise BadRequest(f"{path}: {name} must be {expected}") from None
    return given


def parse_config(
    text: bytes, path: str, defaults: Mapping[str, Any] = {}
) -> RootConfig:
    """Read the file at `path`. `defaults` are options that hold where it does not say
    otherwise, and were checked. Raises BadRequest."""
    given = parse_object(text, path, ROOT_OPTIONS | WITHOUT_EFFECT)
    both = {**defaults, **given}
    options = {name: both[name] for name in ROOT_OPTIONS if name in both}
    for name in ("ignore_dirs", "ignore_vcs"):
        if name in options:
            options[name] = tuple(to_bytes(each.strip("/")) for each in options[name])
    if "settle" in options:
        options["settle"] /= 1000
    if "gc_age_seconds" in options:
        options.setdefault("gc_interval_seconds", DEFAULT_GC_INTERVAL)
    return RootConfig(given, **options)
