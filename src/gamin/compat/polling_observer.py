"""watchdog's PollingObserver over the service, for programs that ask for it."""

from watchdog.observers.polling import PollingEmitter

from gamin.compat.observer import GaminEmitter, GaminObserver


class _Emitter(GaminEmitter):
    own_class = PollingEmitter


class GaminPollingObserver(GaminObserver):
    """In the place of `PollingObserver`; falls back to polling.

    A polling emitter never reports opened or closed events, so nothing is lost if
    a handler would like them.
    """

    emitter_class: type[GaminEmitter] = _Emitter
    own_emitter_class: type[GaminEmitter] = _Emitter
