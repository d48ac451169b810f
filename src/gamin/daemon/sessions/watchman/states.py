"""States that clients assert of a root, such as "hg.update", and their subscribers.

A subscriber may ask to get nothing while a state is asserted: `defer` delivers all of
it afterwards, `drop` never.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from gamin.protocol.watchman.errors import BadRequest


class StateChange(NamedTuple):
    """A change of a state, as the subscribers of a root receive it."""

    name: str
    is_entered: bool
    metadata: object = None
    """As the client gave it; None for none."""
    is_abandoned: bool = False
    """The client that asserted the state is gone."""


class Waiting(Protocol):
    """The part of a subscriber that states decide about."""

    defer: frozenset[str]
    drop: frozenset[str]
    is_held: bool
    is_paused: bool
    defer_vcs: bool


class States:
    """The asserted states of one root."""

    def __init__(self) -> None:
        self._owners: dict[str, object] = {}
        """The clients by the state that they assert, oldest assertion first."""
        self.is_vcs_locked = False
        """A version control system is at work in the root."""

    @property
    def asserted(self) -> list[str]:
        return list(self._owners)

    def enter(self, name: str, client: object) -> None:
        """Assert a state. Raises BadRequest if a client asserts it already."""
        if name in self._owners:
            raise BadRequest(f"state {name} is already asserted")
        self._owners[name] = client

    def leave(self, name: str, client: object) -> None:
        """End a state. Raises BadRequest if this client did not assert it."""
        if name not in self._owners:
            raise BadRequest(f"state {name} is not asserted")
        if self._owners[name] is not client:
            raise BadRequest(f"state {name} was not asserted by this session")
        del self._owners[name]

    def of(self, client: object) -> list[str]:
        return [name for name, owner in self._owners.items() if owner is client]

    def is_dropping(self, subscriber: Waiting) -> bool:
        return not subscriber.drop.isdisjoint(self._owners)

    def hold(self, subscribers: Iterable[Waiting]) -> None:
        """Decide again which subscribers get nothing for now."""
        for one in subscribers:
            names = one.defer | one.drop
            is_asserted = bool(names) and not names.isdisjoint(self._owners)
            is_deferred = self.is_vcs_locked and one.defer_vcs
            one.is_held = is_asserted or is_deferred or one.is_paused
