"""The members of a query object: the type of each, and the error text for another."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.names import MAX_PATH

DAY = 86_400.0
MAX_SETTLE_MS = 86_400_000
"""Milliseconds that a query waits for a quiet root at most: a day."""


class PathAndDepth(msgspec.Struct, frozen=True):
    path: str
    depth: int


Pattern = Annotated[str, msgspec.Meta(max_length=MAX_PATH)]


class _Option(NamedTuple):
    type: Any
    complaint: str


def _flag(name: str) -> _Option:
    return _Option(bool, f"{name} must be a boolean")


def _milliseconds(name: str, most: int | None = None) -> _Option:
    kind = Annotated[int, msgspec.Meta(ge=0, le=most)]
    return _Option(kind, f"{name} must be an integer value >= 0")


OPTIONS: dict[str, _Option] = {
    "relative_root": _Option(str, "'relative_root' must be a string"),
    "suffix": _Option(
        str | list[str], "'suffix' must be a string or an array of strings"
    ),
    "glob": _Option(list[Pattern], "'glob' must be an array of strings"),
    "path": _Option(
        list[str | PathAndDepth],
        "'path' must be an array of strings and of objects with 'path' and 'depth' "
        "properties",
    ),
    **{
        name: _flag(name)
        for name in (
            "case_sensitive",
            "empty_on_fresh_instance",
            "dedup_results",
            "always_include_directories",
            "omit_changed_files",
            "fail_if_no_saved_state",
            "glob_includedotfiles",
            "glob_noescape",
            # Ours.
            "vcs_ignore",
            "recursive",
            "cross_mounts",
            "details",
            "flow_control",
            "unreadable",
            "wait_for_mounts",
            "initial",
            "names",
            "once",
        )
    },
    "sync_timeout": _milliseconds("sync_timeout"),
    "lock_timeout": _milliseconds("lock_timeout"),
    "settle_period": _milliseconds("settle_period", MAX_SETTLE_MS),
    "settle_timeout": _milliseconds("settle_timeout", MAX_SETTLE_MS),
    "request_id": _Option(str, "'request_id' must be a string"),
    # Ours.
    "settle": _Option(
        Annotated[float, msgspec.Meta(ge=0, le=DAY)] | None,
        f"settle must be a number of seconds from 0 to {DAY:.0f}",
    ),
    "ignore": _Option(list[Pattern], "ignore must be an array of patterns"),
}


GRANTED = (
    "dedup_results",  # no row is in an answer twice, whatever generators find it
    "always_include_directories",  # they are always included
    "sync_timeout",  # draining the kernel's queue synchronises, without waiting
    "lock_timeout",  # nothing is locked
    "fail_if_no_saved_state",  # only clocks of source control, an error, ask for one
)
"""Options whose wish is always fulfilled, so that only their type is checked."""


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known members with their types checked; unknown ones are left out.

    Raises BadQuery for a wrong type.
    """
    globs = given.get("glob")
    if isinstance(globs, list) and not all(isinstance(glob, str) for glob in globs):
        raise BadQuery("expected json string object")
    return {
        name: _checked(given[name], option)
        for name, option in OPTIONS.items()
        if name in given
    }


def _checked(value: object, option: _Option) -> Any:
    try:
        return msgspec.convert(value, option.type)
    except (msgspec.ValidationError, OverflowError):  # an int too large for a float
        raise BadQuery(option.complaint) from None
