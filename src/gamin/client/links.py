"""Follows symbolic links to directories below the paths of a watch.

Each such link is one more path of the live watch, and what is behind it is reported
under the link's name. The deletion of a link, as that of a directory, applies to what
is behind it. The server follows a link whose target changes; here is only decided which
links are paths. A link to a directory that contains it is none: what is
behind it would have no end.
"""

import logging
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any

from gamin.client.channel import Channel
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.watching import Batch

logger: logging.Logger = logging.getLogger(__name__)

MAX_LINKS = 1_000
"""Links that one watch follows; more are reported as files."""

Ask = Callable[[Callable[[], Any]], Any]
"""Makes a step of the driver of a function that may block."""
Steps = Generator[Any, Any, Any]


class Links:
    """The links that a watch follows. One runner at a time."""

    def __init__(self, channel: Channel, ask: Ask) -> None:
        self._channel = channel
        self._ask = ask
        self._scanned: set[str] = set()
        """Keys of the paths whose tree was searched for links."""
        self._followed: dict[str, str] = {}
        """The keys of the links, by their path."""
        self._has_begun = False
        """The links that were there at the beginning are found."""

    @property
    def has_unscanned(self) -> bool:
        """Whether a path is watched whose tree was not searched for links yet."""
        return any(key not in self._scanned for key, _ in self._candidates())

    def begin(self) -> None:
        """What is behind links that are found from now on is new."""
        self._has_begun = True

    def scan(self) -> Steps:
        """Search the trees of paths that are new, and follow the links in them."""
        for key, text in self._candidates():
            if key not in self._scanned:
                folders = self._channel.watching.entries(key)
                found = yield self._ask(partial(links_below, text, folders))
                self._scanned.add(key)
                yield from self._follow(found)

    def look(self, batch: Batch) -> Steps:
        """Follow the links that a batch reports, and no longer those that are gone.
        Return the batch as it is to be yielded."""
        events = [event for event in batch.events if not self._is_of_link(event, batch)]
        for event in events:
            if event.kind in (Kind.DELETED, Kind.MOVED):
                self._leave(event.path)
        found: list[str] = []
        for event in events:
            path = event.path if event.dest is None else event.dest
            if event.kind is Kind.MOVED and event.is_dir:
                folders = self._channel.watching.entries(batch.key, path)
                found += yield self._ask(partial(links_below, path, folders))
            elif not event.is_dir and event.kind in (Kind.CREATED, Kind.MOVED):
                found += yield self._ask(partial(links_among, [path]))
        yield from self._follow(found)
        return batch._replace(events=events)

    def _candidates(self) -> list[tuple[str, str]]:
        watching = self._channel.watching
        return [(key, text) for key, text in watching.paths() if watching.is_ready(key)]

    def _is_of_link(self, event: Event, batch: Batch) -> bool:
        """Whether it is about the link itself, which the tree with the link reports."""
        return self._followed.get(event.path) == batch.key

    def _follow(self, links: Iterable[str]) -> Steps:
        new = [link for link in links if link not in self._followed]
        if not new:
            return
        safe = yield self._ask(partial(endless_left_out, new, self._tops(new)))
        watching = self._channel.watching
        for link in safe:
            if len(self._followed) >= MAX_LINKS:
                logger.warning("more than %d links; not followed: %s", MAX_LINKS, link)
                return
            key, request = watching.add_link(link, is_new=self._has_begun)
            self._channel.send(request)
            self._followed[link] = key

    def _tops(self, links: Sequence[str]) -> list[str]:
        """The watched paths and the links above any of these links."""
        above = [text for _, text in self._channel.watching.paths()]
        return [
            top
            for top in above
            if any(link.startswith(top.rstrip("/") + "/") for link in links)
        ]

    def _leave(self, path: str) -> None:
        """There is no link at or below this path any more."""
        gone = [
            link for link in self._followed if link == path or _is_below(link, path)
        ]
        for link in gone:
            key = self._followed.pop(link)
            self._scanned.discard(key)
            self._channel.drop(key)
            self._channel.send(self._channel.watching.remove(key))


def links_below(top: str, folders: Iterable[tuple[str, frozenset[str]]]) -> list[str]:
    """The links to directories in these directories below `top`; only names count that
    are known."""
    found: list[str] = []
    for folder, names in folders:
        path = os.path.join(top, folder) if folder else top
        try:
            with os.scandir(path) as entries:
                found += [
                    entry.path
                    for entry in entries
                    if entry.is_symlink() and entry.name in names and entry.is_dir()
                ]
        except OSError:
            continue
    return found


def links_among(paths: Iterable[str]) -> list[str]:
    """Those of the paths that are links to directories."""
    return [path for path in paths if os.path.islink(path) and os.path.isdir(path)]


def endless_left_out(links: Iterable[str], tops: Sequence[str]) -> list[str]:
    """The links that do not lead to a directory that contains them, by any of the
    watched paths and links (`tops`) that lead to them."""
    return [link for link in links if not _is_endless(link, tops)]


def _is_endless(link: str, tops: Sequence[str]) -> bool:
    target = os.path.realpath(link).rstrip("/") + "/"
    above = [top for top in tops if _is_below(link, top)]
    places = [os.path.realpath(path) for path in (*above, os.path.dirname(link))]
    return any((place.rstrip("/") + "/").startswith(target) for place in places)


def _is_below(path: str, top: str) -> bool:
    return path.startswith(top.rstrip("/") + "/")
