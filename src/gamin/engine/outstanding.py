"""The requests to the threads of distant mounts without an answer yet, and who waits
for it."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from gamin.config.mounts import Mount
from gamin.core.effects import Probe, Ready, Scan, Watch
from gamin.core.model.subscription import Subscription
from gamin.engine.proxy import Request


class _Held(NamedTuple):
    """A subscription that is ready when these requests are answered."""

    work: Ready
    requests: set[int]


class Outstanding:
    def __init__(self) -> None:
        self._by_mount: dict[Mount, dict[int, Request]] = {}
        """By the identity of the request, which lives so long."""
        self._held: list[_Held] = []

    def __bool__(self) -> bool:
        return bool(self._by_mount)

    @property
    def mounts(self) -> Collection[Mount]:
        return self._by_mount.keys()

    def add(self, mount: Mount, request: Request) -> None:
        self._by_mount.setdefault(mount, {})[id(request)] = request

    def has(self, mount: Mount) -> bool:
        """Whether the mount has not answered everything."""
        return bool(self._by_mount.get(mount))

    def answered(self, mount: Mount, request: Request) -> list[Ready]:
        """The request is answered. Return who is ready now."""
        requests = self._by_mount.get(mount, {})
        requests.pop(id(request), None)
        if not requests:
            self._by_mount.pop(mount, None)
        return self._released([id(request)])

    def give_up(self, mount: Mount) -> tuple[list[Request], list[Ready]]:
        """The mount answers no more. Return what it did not answer, and who waited for
        nothing else."""
        requests = self._by_mount.pop(mount, {})
        return list(requests.values()), self._released(requests)

    def hold(self, work: Ready, mounts: Iterable[Mount]) -> bool:
        """Keep it until these mounts watch what they were asked to watch. False: there
        is nothing to wait for."""
        requests = {
            number
            for mount in mounts
            for number, request in self._by_mount.get(mount, {}).items()
            if isinstance(request.work, Watch)
        }
        if requests:
            self._held.append(_Held(work, requests))
        return bool(requests)

    def _released(self, numbers: Iterable[int]) -> list[Ready]:
        if not self._held:
            return []
        for held in self._held:
            held.requests.difference_update(numbers)
        ready = [held.work for held in self._held if not held.requests]
        self._held = [held for held in self._held if held.requests]
        return ready

    def waited_for_by(self, subscription: Subscription) -> Iterator[Mount]:
        """The mounts whose answers the subscription waits for."""
        held = {
            number
            for each in self._held
            if each.work.subscription is subscription
            for number in each.requests
        }
        for mount, requests in self._by_mount.items():
            for number, request in requests.items():
                if number in held or _is_for(request.work, subscription):
                    yield mount
                    break


def _is_for(work: object, subscription: Subscription) -> bool:
    if isinstance(work, Probe):
        return work.subscription is subscription
    return isinstance(work, Scan) and work.requested_by is subscription
