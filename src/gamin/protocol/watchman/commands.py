"""Commands: reads the array that a client sent as a request."""

from gamin.protocol.watchman import legacy
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.arguments import (
    Arguments,
    Milliseconds,
    QueryReader,
    Reader,
    as_object,
    converted,
    count,
    flag,
    of_root,
    plain,
    root_of,
    strings,
    subscription_name,
)
from gamin.protocol.watchman.debug_commands import DEBUG_COMMANDS
from gamin.protocol.watchman.errors import BadCommand, BadRequest, UnknownCommand
from gamin.protocol.watchman.names import to_bytes
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS, QueryLimits
from gamin.protocol.watchman.query.query import parse_query
from gamin.protocol.watchman.trigger import parse_trigger

FOR_ANYBODY = frozenset(
    (
        *("clock", "find", "flush-subscriptions", "query", "since", "subscribe"),
        *("unsubscribe", "watch", "watch-list", "watch-project", "version"),
        *("list-capabilities", "get-pid", "get-sockname", "debug-status"),
        *("get-log", "global-log-level", "log"),
    )
)
"""Commands for connections without the owner's privileges, too; see
`debug-drop-privs`."""
MIN_FIGURES_INTERVAL = 0.1
"""Seconds between two messages of `gamin-figures` at least."""
MAX_FIGURES_INTERVAL = 3600
"""Seconds between two messages of `gamin-figures` at most."""
MAX_ASKED = 1000
"""Names in one request of `gamin-activity`."""


def parse_request(
    value: object, *, is_owner: bool = True, limits: QueryLimits = DEFAULT_LIMITS
) -> ask.Request:
    """Read one request. Raises BadRequest, and nothing else, for any value."""
    match value:
        case [str(name), *arguments]:
            pass
        case [_, *_]:
            raise BadRequest(
                "invalid command: expected element 0 to be the command name"
            )
        case _:
            raise BadRequest("invalid command (expected an array with some elements!)")
    if name not in COMMANDS:
        raise UnknownCommand(f"unknown command {name}")
    if not is_owner and name not in FOR_ANYBODY:
        raise BadRequest(f"you must be the process owner to execute '{name}'")
    if name in WITH_QUERIES:
        return WITH_QUERIES[name](name, arguments, limits)
    return COMMANDS[name](name, arguments)


def _version(name: str, arguments: Arguments) -> ask.GetVersion:
    if not arguments:
        return ask.GetVersion()
    wishes = as_object(arguments[0], f"argument 1 to '{name}' must be an object")
    return ask.GetVersion(
        required=strings(wishes, "required"),
        optional=strings(wishes, "optional"),
        asked="required" in wishes or "optional" in wishes,
    )


def _watch(name: str, arguments: Arguments) -> ask.Watch:
    count(name, arguments, 1, 1)
    return ask.Watch(root_of(arguments))


def _watch_project(name: str, arguments: Arguments) -> ask.WatchProject:
    count(name, arguments, 1, 1)
    return ask.WatchProject(root_of(arguments))


def _watch_del(name: str, arguments: Arguments) -> ask.WatchDel:
    count(name, arguments, 1, 1)
    return ask.WatchDel(root_of(arguments))


def _clock(name: str, arguments: Arguments) -> ask.GetClock:
    count(name, arguments, 1, 2)
    root = root_of(arguments)
    if len(arguments) == 1:
        return ask.GetClock(root)
    complaint = "the third argument to 'clock' must be an optional object"
    options = as_object(arguments[1], complaint)
    if "sync_timeout" in options:  # every answer is synchronised, without waiting
        complaint = "the sync_timeout option passed to 'clock' must be an integer"
        converted(options["sync_timeout"], Milliseconds, complaint)
    return ask.GetClock(root)


def _query(
    name: str, arguments: Arguments, limits: QueryLimits = DEFAULT_LIMITS
) -> ask.RunQuery:
    complaint = f"wrong number of arguments for '{name}', expected 3"
    if len(arguments) != 2:
        raise BadCommand(complaint)
    root = root_of(arguments)
    query = as_object(arguments[1], complaint)
    return ask.RunQuery(root, parse_query(query, limits))


def _find(
    name: str, arguments: Arguments, limits: QueryLimits = DEFAULT_LIMITS
) -> ask.RunQuery:
    if not arguments:
        raise BadCommand(f"not enough arguments for '{name}'")
    wishes = {
        "fields": list(legacy.FIELDS),
        "expression": legacy.expression(arguments[1:], position=2),
    }
    return ask.RunQuery(root_of(arguments), parse_query(wishes, limits), is_find=True)


def _since(
    name: str, arguments: Arguments, limits: QueryLimits = DEFAULT_LIMITS
) -> ask.RunQuery:
    if len(arguments) < 2:
        raise BadCommand(f"not enough arguments for '{name}'")
    if not isinstance(arguments[1], str):
        raise BadCommand("expected argument 2 to be a valid clockspec")
    wishes = {
        "since": arguments[1],
        "fields": list(legacy.FIELDS),
        "expression": legacy.expression(arguments[2:], position=3),
    }
    return ask.RunQuery(root_of(arguments), parse_query(wishes, limits))


def _subscribe(
    name: str, arguments: Arguments, limits: QueryLimits = DEFAULT_LIMITS
) -> ask.Subscribe:
    if len(arguments) != 3:
        raise BadCommand(f"wrong number of arguments for {name}")
    root = root_of(arguments)
    options = as_object(arguments[2], "expected 3rd parameter to be the query object")
    return ask.Subscribe(
        root,
        subscription_name(arguments),
        parse_query(options, limits),
        watch=flag(options, "watch", default=False),
        defer=strings(options, "defer"),
        drop=strings(options, "drop"),
        defer_vcs=flag(options, "defer_vcs", default=True),
    )


def _unsubscribe(name: str, arguments: Arguments) -> ask.Unsubscribe:
    count(name, arguments, 2, 2)
    return ask.Unsubscribe(root_of(arguments), subscription_name(arguments))


def _state(arguments: Arguments) -> tuple[bytes, str, object]:
    if len(arguments) != 2:
        raise BadCommand(
            f"invalid number of arguments, expected 3, got {len(arguments) + 1}"
        )
    root, given = root_of(arguments), arguments[1]
    if isinstance(given, str):
        return root, given, None
    options = as_object(given, "second argument must be a string or object")
    converted(options.get("sync_timeout", 0), Milliseconds, "sync_timeout must be >= 0")
    name = converted(options.get("name"), str, "name must be a string")
    return root, name, options.get("metadata")


def _enter_state(name: str, arguments: Arguments) -> ask.EnterState:
    return ask.EnterState(*_state(arguments))


def _leave_state(name: str, arguments: Arguments) -> ask.LeaveState:
    return ask.LeaveState(*_state(arguments))


def _flush_subscriptions(name: str, arguments: Arguments) -> ask.FlushSubscriptions:
    count(name, arguments, 2, 2)
    root = root_of(arguments)
    options = as_object(arguments[1], f"wrong number of arguments to '{name}'")
    # Nothing is waited for: draining the kernel's queue synchronises.
    if "sync_timeout" not in options:
        raise BadCommand("key 'sync_timeout' is not present in this json object")
    converted(options.get("sync_timeout"), int, "'sync_timeout' must be an integer")
    if "subscriptions" not in options:
        return ask.FlushSubscriptions(root)
    complaint = "expected 'subscriptions' to be an array of subscription names"
    names = converted(options["subscriptions"], list[str], complaint)
    return ask.FlushSubscriptions(root, tuple(names))


def _trigger(
    name: str, arguments: Arguments, limits: QueryLimits = DEFAULT_LIMITS
) -> ask.DefineTrigger:
    if len(arguments) < 2:
        raise BadCommand("not enough arguments")
    return ask.DefineTrigger(root_of(arguments), parse_trigger(arguments[1:], limits))


def _trigger_del(name: str, arguments: Arguments) -> ask.DeleteTrigger:
    count(name, arguments, 2, 2)
    trigger = arguments[1]
    if not isinstance(trigger, str):
        raise BadCommand("expected 2nd parameter to be trigger name")
    return ask.DeleteTrigger(root_of(arguments), trigger)


def _activity(name: str, arguments: Arguments) -> ask.GetActivity:
    count(name, arguments, 3, 3)
    complaint = f"argument 3 to '{name}' must be an array of at most {MAX_ASKED} names"
    names = converted(arguments[2], list[str], complaint)
    if len(names) > MAX_ASKED:
        raise BadCommand(complaint)
    paths = tuple(to_bytes(path) for path in names)
    return ask.GetActivity(root_of(arguments), subscription_name(arguments), paths)


def _figures(name: str, arguments: Arguments) -> ask.GaminFigures:
    count(name, arguments, 1, 1)
    complaint = (
        f"argument 1 to '{name}' must be 0 or a number of seconds from "
        f"{MIN_FIGURES_INTERVAL} to {MAX_FIGURES_INTERVAL}"
    )
    seconds: float = converted(arguments[0], float, complaint)
    if seconds and not MIN_FIGURES_INTERVAL <= seconds <= MAX_FIGURES_INTERVAL:
        raise BadCommand(complaint)
    return ask.GaminFigures(seconds)


_LOG_LEVELS = {"debug": 10, "error": 40}
_WANTED_LEVELS = {"debug": 10, "error": 30, "off": None}
"""The lowest level of the module `logging` that a client gets: what Watchman reports
as an error, our servers may report as a warning."""


def _wanted_level(name: str, arguments: Arguments) -> tuple[int | None, str]:
    count(name, arguments, 1, 1)
    label = arguments[0]
    if not isinstance(label, str) or label not in _WANTED_LEVELS:
        raise BadCommand(f"invalid log level for '{name}'")
    return _WANTED_LEVELS[label], label


def _log_level(name: str, arguments: Arguments) -> ask.SetLogLevel:
    return ask.SetLogLevel(*_wanted_level(name, arguments))


def _global_log_level(name: str, arguments: Arguments) -> ask.SetGlobalLogLevel:
    return ask.SetGlobalLogLevel(*_wanted_level(name, arguments))


def _get_log(name: str, arguments: Arguments) -> ask.GetLog:
    count(name, arguments, 0, 0)
    return ask.GetLog()


def _log(name: str, arguments: Arguments) -> ask.WriteLog:
    count(name, arguments, 2, 2)
    level, text = arguments
    if not isinstance(level, str) or level not in _LOG_LEVELS:
        raise BadCommand(f"invalid log level for '{name}'")
    if not isinstance(text, str):
        raise BadCommand(f"expected 2nd parameter of '{name}' to be a string")
    return ask.WriteLog(_LOG_LEVELS[level], text)


WITH_QUERIES: dict[str, QueryReader] = {
    "query": _query,
    "find": _find,
    "since": _since,
    "subscribe": _subscribe,
    "trigger": _trigger,
}
"""Commands whose arguments contain a query, which has limits."""
COMMANDS: dict[str, Reader] = {
    "version": _version,
    "list-capabilities": plain(ask.ListCapabilities()),
    "get-sockname": plain(ask.GetSockname()),
    "get-pid": plain(ask.GetPid()),
    "watch": _watch,
    "watch-project": _watch_project,
    "watch-list": plain(ask.WatchList()),
    "watch-del": _watch_del,
    "watch-del-all": plain(ask.WatchDelAll()),
    "clock": _clock,
    "query": _query,
    "find": _find,
    "since": _since,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "state-enter": _enter_state,
    "state-leave": _leave_state,
    "flush-subscriptions": _flush_subscriptions,
    "trigger": _trigger,
    "trigger-del": _trigger_del,
    "trigger-list": of_root(ask.ListTriggers),
    "get-config": of_root(ask.GetConfig),
    "log": _log,
    "log-level": _log_level,
    "global-log-level": _global_log_level,
    "get-log": _get_log,
    **DEBUG_COMMANDS,
    "shutdown-server": plain(ask.ShutdownServer()),
    "gamin-activity": _activity,
    "gamin-status": plain(ask.GaminStatus()),
    "gamin-figures": _figures,
    "gamin-dump": plain(ask.GaminDump()),
    "gamin-stop": plain(ask.GaminStop()),
}
