"""The capabilities that this server announces; only what it can do is listed.

Most names follow from the tables of commands, fields and terms.
"""

from collections.abc import Iterable

from gamin.protocol.watchman.commands import COMMANDS
from gamin.protocol.watchman.query.expression import TERMS
from gamin.protocol.watchman.query.fields import FIELDS, OWN_FIELDS

OURS = (
    "gamin-any-path",  # subscribe with `watch`: files and missing paths too
    "gamin-details",  # `details` of a subscription: what exactly changed
    "gamin-figures",  # the state of the server as messages, at an interval
    "gamin-flow-control",  # `flow_control: false` of a subscription
    "gamin-ignore",  # `ignore` and `vcs_ignore` of a query
    "gamin-initial",  # `initial: false` of a subscription
    "gamin-kind",  # fields `kind` and `is_dir`
    "gamin-moved-from",  # field `moved_from`: a rename is one row
    "gamin-names",  # `names` of a subscription: a list as the names in each directory
    "gamin-once",  # `once` of a subscription: no list after what happened
    "gamin-recovered",  # `recovered: true` on what was found after a loss
    "gamin-settle-0",  # `settle` of a subscription, 0 for at once
    "gamin-surrogate-escapes",  # names that are not UTF-8
    "gamin-unreadable",  # `unreadable` of a subscription
    "gamin-wait-for-mounts",  # `wait_for_mounts: false` of a subscription
)
_THEIRS = (
    "bser-v2",
    "clock-sync-timeout",
    "dedup_results",
    "glob_generator",
    "relative_root",
    "suffix-set",
    "watcher-inotify",
    "wildmatch",
    "wildmatch-multislash",
)

CAPABILITIES: frozenset[str] = frozenset(
    (
        *OURS,
        *_THEIRS,
        *(f"cmd-{name}" for name in COMMANDS),
        *(f"field-{name}" for name in FIELDS.keys() - OWN_FIELDS.keys()),
        *(f"term-{name}" for name in TERMS),
    )
)


def supported(names: Iterable[str]) -> dict[str, bool]:
    return {name: name in CAPABILITIES for name in names}
