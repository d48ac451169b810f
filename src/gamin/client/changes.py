"""`gamin.changes()`: one question, what changed since a clock, and its answer."""

from collections.abc import Iterable

from gamin.client.arguments import AnyPath, as_patterns, make_session
from gamin.client.watch import Watch
from gamin.events import Event
from gamin.protocol.watchman.client.watched_path import WatchOptions


def changes(
    *paths: AnyPath,
    since: str | None,
    recursive: bool = True,
    ignore: Iterable[str] = (),
    vcs_ignore: bool = False,
    cross_mounts: bool = False,
) -> tuple[list[Event], str]:
    """What changed at the paths since a clock, and the clock of now.

    Starts the server of this user if none runs. The clock may be one of an earlier
    server: what servers know of a tree outlives them.

    Args:
        paths: as for `watch`. They and all options must be those of the earlier call.
        since: the clock of an earlier call or watch; or "n:" and a name: the moment of
            the last call with that name, which the server keeps. None, and a name that
            is new, list everything that exists, as `Kind.EXISTS`.
        recursive: report everything below a directory, or only its entries.
        ignore: patterns of paths not to report, each as a line of a .gitignore.
        vcs_ignore: leave out what the .gitignore files of the tree exclude.
        cross_mounts: descend into other file systems, too.

    Returns:
        The events, and the clock to pass as `since` next time. If the server cannot
        name the changes, everything that exists comes as `Kind.EXISTS` with
        `recovered`.

    It raises what `watch` raises.

    Example:

        events, clock = gamin.changes("src", since=clock)
    """
    if since is not None and since.startswith("n:") and "," not in since:
        since = ",".join([since] * len(paths))
    options = WatchOptions(
        recursive=recursive,
        ignore=as_patterns(ignore),
        vcs_ignore=vcs_ignore,
        cross_mounts=cross_mounts,
        initial=since is None,
        once=True,
    )
    with Watch(make_session(paths, options, since)) as opened:
        events: list[Event] = []
        while (batch := opened.next(timeout=0)) is not None:
            events += batch
        return events, opened.clock or ""
