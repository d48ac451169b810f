"""What the server says of paths beyond its reports, in answer to `gamin-activity`."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.client.session import ClientSession, Reply

COMMAND = "gamin-activity"


class Activity(NamedTuple):
    quiet: float | None
    """Seconds since something happened to it; None: since it was last reported."""
    stamp: float | None
    """When that was, on the server's clock; only to be compared."""
    is_unreported: bool
    """A report of it is still to come."""
    interval: float
    """Seconds for which a change may be undetected."""


NOTHING_MORE = Activity(None, None, False, 0.0)
"""The server has reported all that happened."""


Answer = tuple[list[str], list[Activity] | None]
"""Paths, and what the server says of each; None if it was lost before it did."""


class Questions:
    """Those of one watch."""

    def __init__(self) -> None:
        self._session = ClientSession()
        self._unanswered: deque[list[str]] = deque()
        self._answers: list[Answer] = []

    def begin(self, session: ClientSession) -> None:
        """Ask on a new connection; what was asked on the old one is not answered."""
        self._session = session
        self._answers += [(paths, None) for paths in self._unanswered]
        self._unanswered.clear()

    def ask(
        self, paths: Iterable[str], roots: Mapping[str, str]
    ) -> tuple[bytes, list[str]]:
        """Return the bytes to send, and the paths that are below no root.

        `roots` are the watched paths by the names of their subscriptions.
        """
        asked: dict[tuple[str, str], list[str]] = {}
        outside: list[str] = []
        closest = sorted(roots.items(), key=lambda each: -len(each[1]))
        for path in paths:
            found = _root_of(path, closest)
            if found is None:
                outside.append(path)
            else:
                asked.setdefault(found, []).append(path)
        requests = []
        for (name, root), below in asked.items():
            start = len(root.rstrip("/")) + 1
            names = [path[start:] for path in below]
            requests.append(self._session.request(COMMAND, root, name, names))
            self._unanswered.append(below)
        return b"".join(requests), outside

    def answered(self, reply: Reply) -> None:
        """Raises RemoteProtocolError."""
        paths = self._unanswered.popleft()
        self._answers.append((paths, _activity(reply, len(paths))))

    def take_answers(self) -> list[Answer]:
        answers, self._answers = self._answers, []
        return answers


def _activity(reply: Reply, count: int) -> list[Activity]:
    """Return the activity of each of the `count` paths that the request names.

    Raises RemoteProtocolError.
    """
    if reply.error is not None:  # the subscription has ended
        return [NOTHING_MORE] * count
    now, answers = reply.value.get("now"), reply.value.get("activity")
    try:
        found = [_read(answer, now) for answer in answers or ()]
    except (TypeError, ValueError):
        raise RemoteProtocolError("an activity that says nothing") from None
    if len(found) != count:
        raise RemoteProtocolError(f"{len(found)} answers about {count} paths")
    return found


def _read(answer: object, now: object) -> Activity:
    if answer is None:
        return NOTHING_MORE
    if not isinstance(answer, list) or not isinstance(now, float | int):
        raise TypeError
    last, is_unreported, interval = answer
    quiet = None if last is None else float(now - last)
    return Activity(quiet, last, bool(is_unreported), float(interval))


def _root_of(path: str, closest: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    for name, root in closest:
        if path == root or path.startswith(root.rstrip("/") + "/"):
            return name, root
    return None
