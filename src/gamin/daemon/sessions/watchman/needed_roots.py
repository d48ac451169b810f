"""Which roots are needed: those with subscribers, those that are watched for good, and
those that a request is about which has no subscriber there yet.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gamin.daemon.sessions.watchman.root import Root


class NeededRoots:
    def __init__(self, release: Callable[[Root], None]) -> None:
        """`release` is called with a root that a request needs no more."""
        self._release = release
        self._requests: Counter[Root] = Counter()

    def __contains__(self, root: Root) -> bool:
        return bool(root.queries) or root.is_pinned or root in self._requests

    @contextmanager
    def during(self, root: Root) -> Iterator[None]:
        """A request needs the root in this block. If there is no subscriber then, it
        has failed, or its client has left."""
        self._requests[root] += 1
        try:
            yield
        finally:
            self._requests[root] -= 1
            if not self._requests[root]:
                del self._requests[root]
            self._release(root)
