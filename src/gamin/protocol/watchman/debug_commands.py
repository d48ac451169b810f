"""Commands that look into the server, or have it do what it does by itself later.

Watchman's `debug-poison` and `debug-set-parallel-crawl` are about states that this
server does not have, so there are none of these.
"""

from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.arguments import (
    Arguments,
    Reader,
    as_object,
    converted,
    count,
    of_root,
    plain,
    root_of,
)
from gamin.protocol.watchman.errors import BadCommand

MAX_AGE_SECONDS = 1 << 40


def _age_out(name: str, arguments: Arguments) -> ask.AgeOut:
    count(name, arguments, 2, 2)
    complaint = f"argument 2 to '{name}' must be a number of seconds"
    seconds: int = converted(arguments[1], int, complaint)
    if not 0 <= seconds <= MAX_AGE_SECONDS:
        raise BadCommand(complaint)
    return ask.AgeOut(root_of(arguments), seconds)


def _pause(name: str, arguments: Arguments) -> ask.PauseSubscriptions:
    count(name, arguments, 1, 1)
    complaint = f"argument 1 to '{name}' must be an object"
    paused = as_object(arguments[0], complaint)
    for subscription, value in paused.items():
        if not isinstance(value, bool):
            raise BadCommand(
                f"new value for subscription '{subscription}' not a boolean"
            )
    return ask.PauseSubscriptions({key: value is True for key, value in paused.items()})


DEBUG_COMMANDS: dict[str, Reader] = {
    "debug-ageout": _age_out,
    "debug-contenthash": of_root(ask.ShowContentHashes),
    "debug-drop-privs": plain(ask.DropPrivileges()),
    "debug-get-asserted-states": of_root(ask.ShowStates),
    "debug-get-subscriptions": of_root(ask.ShowSubscriptions),
    "debug-recrawl": of_root(ask.Recrawl),
    "debug-root-status": of_root(ask.ShowRoot),
    "debug-set-subscriptions-paused": _pause,
    "debug-show-cursors": of_root(ask.ShowCursors),
    "debug-status": plain(ask.ShowStatus()),
    "debug-symlink-target-cache": of_root(ask.ShowSymlinkTargets),
    "debug-watcher-info": of_root(ask.ShowWatcher),
    "debug-watcher-info-clear": of_root(ask.ClearWatcher),
}
