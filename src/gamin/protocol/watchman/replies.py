"""The server's messages: replies to commands, and messages of subscriptions.

Plain objects for a codec to write: `str` is text, `bytes` is the name of a file. The
codec adds rows. Only messages may have a member `subscription`, `log` or `figures`: by
these clients distinguish messages from replies.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gamin.protocol.watchman.capabilities import CAPABILITIES, supported
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.requests import GetVersion
from gamin.protocol.watchman.version import VERSION

Reply = dict[str, Any]

MAX_ERROR = 4096  # characters; an error quotes what the client sent


def error(text: str) -> Reply:
    """Any request can be answered so; the connection goes on."""
    return _reply(error=text[:MAX_ERROR])


def version(request: GetVersion, package: str) -> Reply:
    """`package` is the version of ours; `version` says which Watchman we are like."""
    reply = _reply(buildinfo=f"gamin {package}")
    if request.asked:
        reply["capabilities"] = supported((*request.required, *request.optional))
    missing = [name for name in request.required if name not in CAPABILITIES]
    if missing:
        names = ", ".join(missing)
        reply |= error(
            f"client required capabilities [{names}] not supported by this server"
        )
    return reply


def warned(reply: Reply, warning: str) -> Reply:
    """The reply, with a warning if there is one."""
    return {**reply, "warning": warning} if warning else reply


def list_capabilities() -> Reply:
    return _reply(capabilities=sorted(CAPABILITIES))


def get_sockname(path: bytes) -> Reply:
    return _reply(sockname=path, unix_domain=path)


def get_pid(pid: int) -> Reply:
    return _reply(pid=pid)


def watch(root: bytes, watcher: str) -> Reply:
    return _reply(watch=root, watcher=watcher)


def watch_project(root: bytes, watcher: str, relative_path: bytes = b"") -> Reply:
    """`relative_path` is empty where the root is what was asked for."""
    reply = watch(root, watcher)
    if relative_path:
        reply["relative_path"] = relative_path
    return reply


def watch_list(roots: Iterable[bytes]) -> Reply:
    """Also what `watch-del-all` did away with."""
    return _reply(roots=list(roots))


def watch_del(root: bytes, *, deleted: bool) -> Reply:
    return {**_reply(root=root), "watch-del": deleted}


def clock(now: Clock) -> Reply:
    return _reply(clock=str(now))


def query(now: Clock, *, fresh: bool) -> Reply:
    """The answer to `query` and `since`; its `files` are put in by `encode`."""
    return _reply(clock=str(now), is_fresh_instance=fresh, debug={"cookie_files": []})


def find(now: Clock) -> Reply:
    return clock(now)


def subscribe(
    name: str, now: Clock, warning: str = "", states: Iterable[str] = ()
) -> Reply:
    reply = {**_reply(subscribe=name, clock=str(now)), "asserted-states": list(states)}
    if warning:
        reply["warning"] = warning
    return reply


def unsubscribe(name: str, *, deleted: bool) -> Reply:
    return _reply(unsubscribe=name, deleted=deleted)


def state(root: bytes, name: str, *, entered: bool) -> Reply:
    return {**_reply(root=root), _state_key(entered): name}


def flush_subscriptions(results: Mapping[str, list[str]]) -> Reply:
    """`results` has the names of subscriptions by what came of flushing them."""
    kinds = ("synced", "no_sync_needed", "dropped")
    return _reply(**{kind: results.get(kind, []) for kind in kinds})


def trigger(name: str, disposition: str) -> Reply:
    return _reply(triggerid=name, disposition=disposition)


def trigger_del(name: str, *, deleted: bool) -> Reply:
    return _reply(deleted=deleted, trigger=name)


def trigger_list(definitions: Iterable[Mapping[str, Any]]) -> Reply:
    return _reply(triggers=list(definitions))


def get_config(config: Mapping[str, Any]) -> Reply:
    return _reply(config=config)


def asserted_states(root: bytes, names: Iterable[str]) -> Reply:
    states = [{"name": name, "state": "Asserted"} for name in names]
    return _reply(root=root, states=states)


def cursors(known: Mapping[str, Clock]) -> Reply:
    return _reply(cursors={f"n:{name}": str(clock) for name, clock in known.items()})


def activity(
    now: float, found: Iterable[tuple[float | None, bool, float] | None]
) -> Reply:
    """`now` and the first item of each answer are seconds of one monotonic clock."""
    return _reply(now=now, activity=list(found))


def log() -> Reply:
    return _reply(logged=True)


def log_level(label: str) -> Reply:
    return _reply(log_level=label)


def get_log(path: str) -> Reply:
    """The one reply with a member `log`, as in Watchman."""
    return _reply(log=path)


def log_message(text: str, level: str) -> Reply:
    """What a client gets of the server's log."""
    return _reply(unilateral=True, log=text, level=level)


def age_out() -> Reply:
    return _reply(ageout=True)


def recrawl() -> Reply:
    return _reply(recrawl=True)


def drop_privileges() -> Reply:
    return _reply(owner=False)


def paused(states: Mapping[str, tuple[bool, bool]]) -> Reply:
    """`states` has by the subscription's name whether it was paused, and is now."""
    return _reply(
        paused={name: {"old": old, "new": new} for name, (old, new) in states.items()}
    )


def show_subscriptions(serial: int, infos: Iterable[Mapping[str, Any]]) -> Reply:
    """Nothing is kept for a subscriber but the clock that it has, so `items` is
    empty."""
    subscribers = [{"serial": info["serial"], "info": dict(info)} for info in infos]
    return _reply(
        next_serial=serial,
        subscribers=subscribers,
        subscriptions=[each["info"]["name"] for each in subscribers],
        items=[],
    )


def root_status(report: Mapping[str, Any]) -> Reply:
    return _reply(root_status=report)


def cache(size: int = 0, hits: int = 0, misses: int = 0) -> Reply:
    """The counters of a cache. Watchman's other ones are of events that cannot happen
    here."""
    none = ("cacheShare", "cacheEvict", "cacheErase", "clearCount")
    return _reply(
        cacheHit=hits,
        cacheMiss=misses,
        cacheStore=misses,
        cacheLoad=misses,
        size=size,
        **dict.fromkeys(none, 0),
    )


def watcher_info(report: Mapping[str, Any]) -> Reply:
    return {**_reply(), "watcher-debug-info": report}


def watcher_cleared() -> Reply:
    return _reply()


def debug_status(
    roots: Iterable[Mapping[str, Any]], clients: Iterable[Mapping[str, Any]]
) -> Reply:
    return _reply(roots=list(roots), clients=list(clients))


def shutdown_server() -> Reply:
    return {**_reply(), "shutdown-server": True}


def status(report: Mapping[str, Any]) -> Reply:
    return _reply(status=report)


def figures_interval(seconds: float) -> Reply:
    return _reply(interval=seconds)


def figures(report: Mapping[str, Any]) -> Reply:
    """The message to who asked for them; see `gamin-figures`."""
    return _reply(unilateral=True, figures=report)


def dump(text: str) -> Reply:
    return _reply(dump=text)


def stop() -> Reply:
    return _reply(stop=True)


def message(
    name: str,
    root: bytes,
    now: Clock,
    *,
    since: Clock | None = None,
    fresh: bool = False,
    recovered: bool = False,
    complete_until_ns: int | None = None,
    inode: tuple[int, int] | None = None,
    warning: str = "",
) -> Reply:
    """One message of a subscription; its `files` are put in by `encode`.

    `since` is the clock of the one before, None for the first and for a fresh one.
    `complete_until_ns` is the real time up to which everything is reported, save what
    is held back for a moment because it goes on. `inode` says which object the path
    leads to, by its device and number; to be compared only.
    """
    reply = _unasked(name, root)
    reply |= {"clock": str(now), "is_fresh_instance": fresh}
    if since is not None:
        reply["since"] = str(since)
    if recovered:
        reply["recovered"] = True
    if complete_until_ns is not None:
        reply["complete_until_ns"] = complete_until_ns
    if inode is not None:
        reply["inode"] = inode
    return warned(reply, warning)


def canceled(name: str, root: bytes) -> Reply:
    """The last message of a subscription: its root is gone."""
    return {**_unasked(name, root), "canceled": True}


def state_message(
    name: str,
    root: bytes,
    now: Clock,
    state: str,
    *,
    entered: bool,
    metadata: object = None,
    abandoned: bool = False,
) -> Reply:
    """What a subscription gets when a client asserts a state, or does not any more."""
    reply = {**_unasked(name, root), "clock": str(now), _state_key(entered): state}
    if metadata is not None:
        reply["metadata"] = metadata
    if abandoned:
        reply["abandoned"] = True
    return reply


def _state_key(entered: bool) -> str:
    return "state-enter" if entered else "state-leave"


def _unasked(name: str, root: bytes) -> Reply:
    return _reply(unilateral=True, subscription=name, root=root)


def _reply(**members: Any) -> Reply:
    return {"version": VERSION, **members}
