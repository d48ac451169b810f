"""What keeps subscribers of a root from getting anything for now: states that clients
assert, a version control system at work, and a pause.

While a checkout or a commit is half done, Watchman's clients get nothing unless they
ask for it (`defer_vcs`).
"""

from typing import TYPE_CHECKING

from gamin.core.model.node import Node
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.daemon.sessions.watchman.subscriber import Subscriber

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.root import Root

LOCKS = ((b".git", b"index.lock"), (b".hg", b"wlock"))
"""Directories of a root, and the lock that a version control system holds there."""


def enter_state(root: "Root", name: str, client: object, metadata: object) -> None:
    """Raises BadRequest."""
    root.states.enter(name, client)
    _state_changed(root, StateChange(name, True, metadata))


def leave_state(
    root: "Root",
    name: str,
    client: object,
    metadata: object,
    *,
    is_abandoned: bool = False,
) -> None:
    """Raises BadRequest."""
    dropping = [one for one in root.subscribers if name in one.drop]
    root.states.leave(name, client)
    for subscriber in dropping:
        root.skip(subscriber)
    _state_changed(root, StateChange(name, False, metadata, is_abandoned))


def _state_changed(root: "Root", change: StateChange) -> None:
    subscribers, clock = root.subscribers, root.clock()
    root.states.hold(subscribers)
    for subscriber in subscribers:
        subscriber.sink.state_changed(root.path, clock, change)
    if not change.is_entered:
        root.go_on_soon()


def pause(root: "Root", subscriber: Subscriber, *, paused: bool) -> None:
    """Deliver nothing to it for now, or what it missed and whatever follows."""
    subscriber.is_paused = paused
    root.states.hold([subscriber])
    root.go_on(subscriber)


def look_for_lock(root: "Root") -> bool:
    """See whether a version control system is at work; return whether one was."""
    states, top = root.states, root.top
    was_locked = states.is_vcs_locked
    states.is_vcs_locked = top is not None and _is_locked(top)
    if states.is_vcs_locked is not was_locked:
        states.hold(root.subscribers)
    return was_locked


def _is_locked(top: Node) -> bool:
    """As far as the tree knows. Looks at no file."""
    for directory, lock in LOCKS:
        node = top.child(directory)
        if node is not None and node.has(lock):
            return True
    return False
