"""Commands: reads the array that a client sent as a request."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from gamin.protocol.watchman import legacy
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.errors import (
    BadCommand,
    BadRequest,
    UnknownCommand,
    UnresolvedRoot,
)
from gamin.protocol.watchman.names import MAX_PATH, to_bytes
from gamin.protocol.watchman.query.query import parse_query
from gamin.protocol.watchman.trigger import parse_trigger

Arguments = Sequence[object]
Reader = Callable[[str, Arguments], ask.Request]
Milliseconds = Annotated[int, msgspec.Meta(ge=0)]


def parse_request(value: object) -> ask.Request:
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
    return COMMANDS[name](name, arguments)


def _version(name: str, arguments: Arguments) -> ask.GetVersion:
    if not arguments:
        return ask.GetVersion()
    wishes = _object(arguments[0], f"argument 1 to '{name}' must be an object")
    return ask.GetVersion(
        required=_strings(wishes, "required"),
        optional=_strings(wishes, "optional"),
        asked="required" in wishes or "optional" in wishes,
    )


def _watch(name: str, arguments: Arguments) -> ask.Watch:
    _count(name, arguments, 1, 1)
    return ask.Watch(_root(arguments))


def _watch_project(name: str, arguments: Arguments) -> ask.WatchProject:
    _count(name, arguments, 1, 1)
    return ask.WatchProject(_root(arguments))


def _watch_del(name: str, arguments: Arguments) -> ask.WatchDel:
    _count(name, arguments, 1, 1)
    return ask.WatchDel(_root(arguments))


def _clock(name: str, arguments: Arguments) -> ask.GetClock:
    _count(name, arguments, 1, 2)
    root = _root(arguments)
    if len(arguments) == 1:
        return ask.GetClock(root)
    complaint = "the third argument to 'clock' must be an optional object"
    options = _object(arguments[1], complaint)
    if "sync_timeout" in options:  # every answer is synchronised, without waiting
        complaint = "the sync_timeout option passed to 'clock' must be an integer"
        _converted(options["sync_timeout"], Milliseconds, complaint)
    return ask.GetClock(root)


def _query(name: str, arguments: Arguments) -> ask.RunQuery:
    complaint = f"wrong number of arguments for '{name}', expected 3"
    if len(arguments) != 2:
        raise BadCommand(complaint)
    root = _root(arguments)
    query = _object(arguments[1], complaint)
    return ask.RunQuery(root, parse_query(query))


def _find(name: str, arguments: Arguments) -> ask.RunQuery:
    if not arguments:
        raise BadCommand(f"not enough arguments for '{name}'")
    wishes = {
        "fields": list(legacy.FIELDS),
        "expression": legacy.expression(arguments[1:], position=2),
    }
    return ask.RunQuery(_root(arguments), parse_query(wishes), is_find=True)


def _since(name: str, arguments: Arguments) -> ask.RunQuery:
    if len(arguments) < 2:
        raise BadCommand(f"not enough arguments for '{name}'")
    if not isinstance(arguments[1], str):
        raise BadCommand("expected argument 2 to be a valid clockspec")
    wishes = {
        "since": arguments[1],
        "fields": list(legacy.FIELDS),
        "expression": legacy.expression(arguments[2:], position=3),
    }
    return ask.RunQuery(_root(arguments), parse_query(wishes))


def _subscribe(name: str, arguments: Arguments) -> ask.Subscribe:
    if len(arguments) != 3:
        raise BadCommand(f"wrong number of arguments for {name}")
    root = _root(arguments)
    options = _object(arguments[2], "expected 3rd parameter to be the query object")
    return ask.Subscribe(
        root,
        _subscription(arguments),
        parse_query(options),
        watch=_flag(options, "watch", default=False),
        defer=_strings(options, "defer"),
        drop=_strings(options, "drop"),
        defer_vcs=_flag(options, "defer_vcs", default=True),
    )


def _unsubscribe(name: str, arguments: Arguments) -> ask.Unsubscribe:
    _count(name, arguments, 2, 2)
    return ask.Unsubscribe(_root(arguments), _subscription(arguments))


def _state(arguments: Arguments) -> tuple[bytes, str, object]:
    if len(arguments) != 2:
        raise BadCommand(
            f"invalid number of arguments, expected 3, got {len(arguments) + 1}"
        )
    root, given = _root(arguments), arguments[1]
    if isinstance(given, str):
        return root, given, None
    options = _object(given, "second argument must be a string or object")
    _converted(
        options.get("sync_timeout", 0), Milliseconds, "sync_timeout must be >= 0"
    )
    name = _converted(options.get("name"), str, "name must be a string")
    return root, name, options.get("metadata")


def _enter_state(name: str, arguments: Arguments) -> ask.EnterState:
    return ask.EnterState(*_state(arguments))


def _leave_state(name: str, arguments: Arguments) -> ask.LeaveState:
    return ask.LeaveState(*_state(arguments))


def _flush_subscriptions(name: str, arguments: Arguments) -> ask.FlushSubscriptions:
    _count(name, arguments, 2, 2)
    root = _root(arguments)
    options = _object(arguments[1], f"wrong number of arguments to '{name}'")
    # Nothing is waited for: draining the kernel's queue synchronises.
    _converted(options.get("sync_timeout"), int, "'sync_timeout' must be an integer")
    if "subscriptions" not in options:
        return ask.FlushSubscriptions(root)
    complaint = "expected 'subscriptions' to be an array of subscription names"
    names = _converted(options["subscriptions"], list[str], complaint)
    return ask.FlushSubscriptions(root, tuple(names))


def _trigger(name: str, arguments: Arguments) -> ask.DefineTrigger:
    if len(arguments) < 2:
        raise BadCommand("not enough arguments")
    return ask.DefineTrigger(_root(arguments), parse_trigger(arguments[1:]))


def _trigger_del(name: str, arguments: Arguments) -> ask.DeleteTrigger:
    _count(name, arguments, 2, 2)
    trigger = arguments[1]
    if not isinstance(trigger, str):
        raise BadCommand("expected 2nd parameter to be trigger name")
    return ask.DeleteTrigger(_root(arguments), trigger)


def _of_root(make: Callable[[bytes], ask.Request]) -> Reader:
    """A command whose only argument is its root."""

    def read(name: str, arguments: Arguments) -> ask.Request:
        _count(name, arguments, 1, 1)
        return make(_root(arguments))

    return read


_LOG_LEVELS = {"debug": 10, "error": 40}


def _log(name: str, arguments: Arguments) -> ask.WriteLog:
    _count(name, arguments, 2, 2)
    level, text = arguments
    if not isinstance(level, str) or level not in _LOG_LEVELS:
        raise BadCommand(f"invalid log level for '{name}'")
    if not isinstance(text, str):
        raise BadCommand(f"expected 2nd parameter of '{name}' to be a string")
    return ask.WriteLog(_LOG_LEVELS[level], text)


def _plain(request: ask.Request) -> Reader:
    """A command without arguments; as in Watchman, superfluous ones are ignored."""
    return lambda name, arguments: request


COMMANDS: dict[str, Reader] = {
    "version": _version,
    "list-capabilities": _plain(ask.ListCapabilities()),
    "get-sockname": _plain(ask.GetSockname()),
    "get-pid": _plain(ask.GetPid()),
    "watch": _watch,
    "watch-project": _watch_project,
    "watch-list": _plain(ask.WatchList()),
    "watch-del": _watch_del,
    "watch-del-all": _plain(ask.WatchDelAll()),
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
    "trigger-list": _of_root(ask.ListTriggers),
    "get-config": _of_root(ask.GetConfig),
    "debug-get-asserted-states": _of_root(ask.ShowStates),
    "debug-show-cursors": _of_root(ask.ShowCursors),
    "log": _log,
    "shutdown-server": _plain(ask.ShutdownServer()),
    "gamin-status": _plain(ask.GaminStatus()),
    "gamin-dump": _plain(ask.GaminDump()),
    "gamin-stop": _plain(ask.GaminStop()),
}


def _count(name: str, arguments: Arguments, least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise BadCommand(f"wrong number of arguments to '{name}'")


def _root(arguments: Arguments) -> bytes:
    root = arguments[0]
    if not isinstance(root, str):
        raise BadCommand(
            "invalid value for argument 1, expected a string naming the root dir"
        )
    if len(root) > MAX_PATH:
        raise UnresolvedRoot(root[:99] + "...", "File name too long")
    if not root.startswith("/"):
        raise UnresolvedRoot(root, f'path "{root}" must be absolute')
    return to_bytes(root)


def _subscription(arguments: Arguments) -> str:
    name = arguments[1]
    if not isinstance(name, str):
        raise BadCommand("expected 2nd parameter to be subscription name")
    return name


def _object(value: object, complaint: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadCommand(complaint)
    return value


def _strings(options: dict[str, object], key: str) -> tuple[str, ...]:
    complaint = f"{key} field must be an array of strings"
    return tuple(_converted(options.get(key, []), list[str], complaint))


def _flag(options: dict[str, object], key: str, *, default: bool) -> bool:
    value = options.get(key, default)
    flag: bool = _converted(value, bool, f"{key} must be boolean")
    return flag


def _converted(value: object, kind: Any, complaint: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise BadCommand(complaint) from None
