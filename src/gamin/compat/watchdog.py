"""watchdog's observer over the service, for an import line of its own.

    from gamin.compat.watchdog import Observer

It needs an installed watchdog, and is a subclass of its `BaseObserver`.
"""

# First, and as a whole: where engines are replaced, this is what triggers it.
import watchdog.observers  # noqa: F401  # for what it does

from gamin.compat.observer import GaminEmitter, GaminObserver

Observer = GaminObserver
"""`GaminObserver`, by the name that watchdog gives the observer of a system."""

__all__ = ["GaminEmitter", "GaminObserver", "Observer"]
