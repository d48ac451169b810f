"""A query: what a client asks about a root, once or as a subscription.

`options` checks the types of its members.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from gamin.patterns.gitignore import has_wildcards
from gamin.protocol.watchman.clocks import ClockSpec, parse_clockspec
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.names import MAX_PATH, to_bytes
from gamin.protocol.watchman.query.expression import Expression, parse_expression
from gamin.protocol.watchman.query.fields import DEFAULT_FIELDS, SHA1, check_fields
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS, QueryLimits
from gamin.protocol.watchman.query.options import GRANTED, PathAndDepth, checked
from gamin.protocol.watchman.query.selection import PathFilter, Selection


class Query(Struct, frozen=True, kw_only=True):
    """Equal to every query that asks the same; see `sharing_key` for subscriptions."""

    since: ClockSpec | None = None
    expression: Expression | None = None
    fields: tuple[str, ...] = DEFAULT_FIELDS
    relative_root: bytes = b""
    selection: Selection | None = None
    case_sensitive: bool = True
    empty_on_fresh_instance: bool = False
    settle_period: int | None = None
    """Milliseconds without a change before the answer; None: it does not wait."""
    settle_timeout: int | None = None
    """Milliseconds to wait for that at most. None if and only if the period is."""
    request_id: str = ""
    """What the client calls the request; for the log."""
    settle: float | None = None
    """Ours: seconds without a change before a message; None is the server's default."""
    ignore: tuple[str, ...] = ()
    """Ours: patterns of what to leave out, as in a .gitignore."""
    vcs_ignore: bool = False
    """Ours: leave out what the version control of the root ignores."""
    recursive: bool = True
    """Ours: False for the root and its entries only."""
    cross_mounts: bool = False
    """Ours: enter other file systems too."""
    details: bool = False
    """Ours: say in compact rows what exactly changed, and when files are closed."""
    flow_control: bool = True
    """Ours: False for changes of files that are reported however often they come."""
    unreadable: bool = False
    """Ours: say in compact messages which directories cannot be read."""
    wait_for_mounts: bool = True
    """Ours: False for an error if the root is on a mount that does not answer."""
    initial: bool = True
    """Ours: False for a subscription that wants no list of what exists already.

    Without `since` only: a stale clock is always answered with the list.
    """
    names: bool = False
    """Ours: a list consists of the names in each directory instead of rows.

    With `since` and `initial` the list follows what happened since then.
    """
    once: bool = False
    """Ours: with `names`, a message without rows follows what happened since then, in
    the place of the list. For a client that asks once and keeps no belief."""

    @property
    def wants_moves(self) -> bool:
        """Whether a rename is one row; to others it is a deletion and a creation."""
        return "moved_from" in self.fields

    @property
    def wants_hashes(self) -> bool:
        """Whether the files have to be read for an answer."""
        return SHA1 in self.fields

    @property
    def price(self) -> int:
        """What one row costs: terms and patterns that it may be asked of."""
        terms = 0 if self.expression is None else self.expression.price
        patterns = 0 if self.selection is None else self.selection.price
        return 1 + terms + patterns

    def sharing_key(self) -> "Query":
        """Return what counts for the life of a subscription.

        Subscriptions to one root with equal keys get the same rows.
        """
        return replace(
            self,
            since=None,
            initial=True,
            settle_period=None,
            settle_timeout=None,
            request_id="",
            wait_for_mounts=True,
        )


_NOWHERE: Final = Selection(suffixes=None, globs=None, paths=())
"""Generators that find nothing."""


def parse_query(
    given: Mapping[str, Any], limits: QueryLimits = DEFAULT_LIMITS
) -> Query:
    """Read the query that a client wrote as an object. Raises BadRequest."""
    _check_counts(given, limits)
    options = checked(given)
    for name in GRANTED:
        options.pop(name, None)
    _check_sizes(options, limits)
    selection = _selection(options)
    if "ignore" in options:
        options["ignore"] = tuple(options["ignore"])
    if "relative_root" in options:
        options["relative_root"] = _relative_root(options["relative_root"])
    if "fields" in given:
        options["fields"] = check_fields(given["fields"])
    if given.get("expression") is not None:
        options["expression"] = parse_expression(
            given["expression"],
            fold=not options.get("case_sensitive", True),
            limits=limits,
        )
    if options.pop("omit_changed_files", False):  # all that is wanted is a clock
        options["expression"] = parse_expression("false", limits=limits)
        selection = _NOWHERE
    if "settle_period" in options and "settle_timeout" not in options:
        raise BadQuery("settle_period specified without settle_timeout")
    if "settle_timeout" in options and "settle_period" not in options:
        raise BadQuery("settle_timeout specified without settle_period")
    return Query(since=_since(given), selection=selection, **options)


def _check_counts(given: Mapping[str, Any], limits: QueryLimits) -> None:
    """Raises BadQuery for lists that are longer than anybody needs, before each item
    is looked at."""
    for name, most in (
        ("suffix", limits.paths),
        ("path", limits.paths),
        ("glob", limits.patterns),
        ("ignore", limits.ignore_patterns),
    ):
        if isinstance(items := given.get(name), list) and len(items) > most:
            raise BadQuery(f"'{name}' has more than {most} items")


def _check_sizes(options: Mapping[str, Any], limits: QueryLimits) -> None:
    """Raises BadQuery for more text in patterns than anybody needs."""
    for name, most in (
        ("glob", limits.pattern_bytes),
        ("ignore", limits.ignore_bytes),
    ):
        if sum(map(len, options.get(name) or ())) > most:
            raise BadQuery(f"'{name}' has more than {most} characters")
    ignore = options.get("ignore") or ()
    wild = sum(len(text) for text in ignore if has_wildcards(to_bytes(text)))
    if wild > limits.ignore_wildcards:
        raise BadQuery(
            "the patterns with wildcards in 'ignore' have more than "
            f"{limits.ignore_wildcards} characters"
        )


def _since(given: Mapping[str, Any]) -> ClockSpec | None:
    if "since" not in given:
        return None
    if given["since"] is None:
        raise BadQuery("invalid value for 'since'")
    return parse_clockspec(given["since"])


def _relative_root(text: str) -> bytes:
    """Refuses what leads out of the root."""
    path = to_bytes(text)
    if path.startswith(b"/") or b".." in path.split(b"/") or len(path) > MAX_PATH:
        raise BadQuery(
            f"{text[:99]} is no directory: check your relative_root parameter!"
        )
    return _tidy(path)


def _tidy(path: bytes) -> bytes:
    return b"/".join(part for part in path.split(b"/") if part not in (b"", b"."))


def _selection(options: dict[str, Any]) -> Selection | None:
    """Take the members that are generators out of `options`."""
    suffixes = options.pop("suffix", None)
    globs = options.pop("glob", None)
    paths = options.pop("path", None)
    dotfiles = options.pop("glob_includedotfiles", False)
    escapes = not options.pop("glob_noescape", False)
    if suffixes is None and globs is None and paths is None:
        return None
    if isinstance(suffixes, str):
        suffixes = [suffixes]
    return Selection(
        suffixes=None if suffixes is None else tuple(map(to_bytes, suffixes)),
        globs=None if globs is None else tuple(map(_glob, globs)),
        paths=None if paths is None else tuple(map(_path, paths)),
        dotfiles=dotfiles,
        escapes=escapes,
        fold=not options.get("case_sensitive", True),
    )


def _glob(pattern: str) -> bytes:
    if pattern.startswith("/"):
        raise BadQuery(
            f"glob `{pattern}` is an absolute path.  All globs must be relative paths!"
        )
    return to_bytes(pattern)


def _path(wish: str | PathAndDepth) -> PathFilter:
    if isinstance(wish, str):
        return PathFilter(_tidy(to_bytes(wish)))
    return PathFilter(_tidy(to_bytes(wish.path)), wish.depth)
